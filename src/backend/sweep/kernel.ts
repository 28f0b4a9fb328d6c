import type { Program, Step } from "./Program.ts"
import { type Code, encode, f32x4, i32, local, overGroups, sequence } from "./Wasm.ts"

/** A program as WebAssembly, and in which order it wants its vectors and scalars. */
export interface Kernel {
  /**
   * A module whose `run(job, from, end)` works on the bytes [from, end) of each vector, in whole groups of four elements. At the address
   * `job` stand the addresses of the vectors (32-bit integers), then the scalars (float32).
   */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly vectors: ReadonlyArray<{ readonly name: string; readonly reads: boolean; readonly writes: boolean }>
  readonly scalars: ReadonlyArray<string>
}

/** Parameters of the function. */
const [job, from, end] = [0, 1, 2]
const PARAMETERS = 3

/** Whether each step's value is the same for all elements, so that it is made once, before the loop. */
const constancy = (steps: ReadonlyArray<Step>): ReadonlyArray<boolean> => {
  const same: Array<boolean> = []
  for (const step of steps)
    same.push(step.kind === "operation" ? step.inputs.every((input) => same[input]) : step.kind !== "vector")
  return same
}

/** How often each step's value is wanted, and whether inside the loop. */
const uses = ({ steps, outputs }: Program, same: ReadonlyArray<boolean>) => {
  const count = steps.map(() => 0)
  const inLoop = steps.map(() => false)
  const use = (place: number, loop: boolean): void => {
    count[place] = (count[place] ?? 0) + 1
    if (loop) inLoop[place] = true
  }
  steps.forEach((step, place) => {
    if (step.kind === "operation") for (const input of step.inputs) use(input, same[place] === false)
  })
  for (const { value } of outputs) use(value, true)
  return { count, inLoop }
}

/**
 * Compiles a program into one loop: four elements of every vector are read, worked on and written back before the next four are read,
 * so a vector may be input and output at once. Values wanted once stay on the stack; values equal for all elements are made before the loop.
 */
export const compile = (program: Program): Kernel => {
  const { steps, outputs } = program
  const names = (kind: "vector" | "scalar"): ReadonlyArray<string> =>
    steps.flatMap((step) => (step.kind === kind ? [step.name] : []))
  const read = new Set(names("vector"))
  const written = new Set(outputs.map(({ vector }) => vector))
  const vectors = [...new Set([...read, ...written])].sort()
  const scalars = [...names("scalar")].sort()
  const same = constancy(steps)
  const { count, inLoop } = uses(program, same)

  const pointer = (name: string): number => PARAMETERS + vectors.indexOf(name)
  const firstLane = PARAMETERS + vectors.length
  let lanes = 0
  const variables = new Map<number, number>()
  const variableFor = (place: number): number => {
    const own = firstLane + lanes++
    variables.set(place, own)
    return own
  }
  /** The code that leaves a step's value on the stack; a value that is wanted again is kept in a variable. */
  const value = (place: number): Code => {
    const variable = variables.get(place)
    if (variable !== undefined) return local.get(variable)
    const code = make(place)
    return (count[place] ?? 0) > 1 ? [...code, ...local.tee(variableFor(place))] : code
  }
  /** The code after which a step's value is in a variable. */
  const settle = (place: number): Code => {
    if (variables.has(place)) return []
    const code = make(place)
    return [...code, ...local.set(variableFor(place))]
  }
  const make = (place: number): Code => {
    const step = steps[place]
    switch (step?.kind) {
      case "vector":
        return [...address(step.name), ...f32x4.load]
      case "scalar":
        return [...local.get(job), ...f32x4.splat(4 * (vectors.length + scalars.indexOf(step.name)))]
      case "constant":
        return f32x4.constant(step.bits)
      case "operation":
        return [...step.inputs.flatMap(value), ...f32x4[step.operation]]
      case undefined:
        throw new RangeError(`the program has no step ${place}`)
    }
  }
  const address = (name: string): Code => [...local.get(pointer(name)), ...local.get(from), ...i32.add]

  const pointers = vectors.flatMap((name, i) => [...local.get(job), ...i32.load(4 * i), ...local.set(pointer(name))])
  const before = steps.flatMap((_, place) => (same[place] === true && inLoop[place] ? settle(place) : []))
  // every output is made before the first is written
  const results = outputs.flatMap(({ value: place }) => settle(place))
  const writes = outputs.flatMap(({ vector, value: place }) => [...address(vector), ...value(place), ...f32x4.store])
  const loop = overGroups(from, end, sequence(results, writes))
  return {
    bytes: encode({ integers: vectors.length, lanes, code: sequence(pointers, before, loop) }),
    vectors: vectors.map((name) => ({ name, reads: read.has(name), writes: written.has(name) })),
    scalars
  }
}
