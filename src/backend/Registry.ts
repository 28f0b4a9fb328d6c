import type { Live } from "./Backend.ts"
import { CompileError } from "./Backend.ts"
import { type DeviceTensor, elements, type HostArray, type TensorSpec } from "./Tensor.ts"

/** The live tensors and open sessions of one backend: what is counted, and where a handle finds its values. */
export interface Registry<Value> {
  readonly add: (spec: TensorSpec, value: Value) => DeviceTensor
  readonly get: (tensor: DeviceTensor) => Value
  readonly remove: (tensor: DeviceTensor) => Value
  readonly openSession: () => void
  readonly closeSession: () => void
  readonly live: () => Live
}

/** An empty registry; using a tensor after its release is a defect. */
export const makeRegistry = <Value>(): Registry<Value> => {
  const values = new Map<number, Value>()
  let next = 0
  let sessions = 0
  const get = (tensor: DeviceTensor): Value => {
    const value = values.get(tensor.id)
    if (value === undefined)
      throw new RangeError(`tensor ${tensor.id} [${tensor.shape.join(", ")}] was released before this use`)
    return value
  }
  return {
    add: ({ shape, dtype }, value) => {
      const id = next++
      values.set(id, value)
      return { id, shape, dtype }
    },
    get,
    remove: (tensor) => {
      const value = get(tensor)
      values.delete(tensor.id)
      return value
    },
    openSession: () => {
      sessions++
    },
    closeSession: () => {
      sessions--
    },
    live: () => ({ tensors: values.size, sessions })
  }
}

/** A part of a vector's numbers, in place; a defect where it does not lie inside. */
export const part = (numbers: Float32Array, from: number, shape: ReadonlyArray<number>): Float32Array => {
  const to = from + elements(shape)
  if (from < 0 || to > numbers.length)
    throw new RangeError(`a view [${shape.join(", ")}] from ${from} does not lie in a vector of ${numbers.length}`)
  return numbers.subarray(from, to)
}

/** Overwrites numbers; a defect where there are not as many new ones. */
export const overwrite = (numbers: HostArray, data: HostArray): void => {
  if (data.length !== numbers.length)
    throw new RangeError(`${data.length} numbers do not fit a tensor of ${numbers.length}`)
  numbers.set(data)
}

/** Runs `body` with stack traces that reach from a kernel, through tfjs' own differentiation, to the line of the text. */
export const withDeepStack = <A>(body: () => A): A => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 100
  try {
    return body()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

const missingKernel = /Kernel '([^']+)' not registered/

/** This room's folder, as stack traces name it. */
const room = new URL(".", import.meta.url).pathname

/** The first frame of a stack that is neither a library's nor this room's: the line of the text that asked for the kernel. */
const callSite = (stack: string): string => {
  const frame = stack
    .split("\n")
    .slice(1)
    .find((line) => !line.includes("node_modules") && !line.includes(room) && !line.includes("node:"))
  return frame?.trim().replace(/^at\s+/, "") ?? "an unknown place"
}

/** What went wrong while a text ran eagerly: a kernel this backend of tfjs lacks, or what tfjs said. */
export const reasonOf = (cause: unknown): string => {
  const message = cause instanceof Error ? cause.message : String(cause)
  const missing = missingKernel.exec(message)?.[1]
  const where = cause instanceof Error ? callSite(cause.stack ?? "") : "an unknown place"
  return `${missing === undefined ? message : `it has no kernel ${missing}`} (at ${where})`
}

/** What went wrong while a text was traced, as an error that names the kernel and the line of the text. */
export const compileErrorOf = (name: string, cause: unknown, kernel: string | undefined): CompileError => {
  const message = cause instanceof Error ? cause.message : String(cause)
  const missing = missingKernel.exec(message)?.[1]
  return new CompileError({
    function: name,
    kernel: kernel ?? missing ?? "none",
    where: cause instanceof Error ? callSite(cause.stack ?? "") : "an unknown place",
    reason:
      missing === undefined
        ? message
        : "the compiler has no rule for this kernel; run it eagerly, or add a rule to the backend"
  })
}
