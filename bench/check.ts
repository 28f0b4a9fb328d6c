import { type Context, folderOf } from "./Context.ts"
import * as Materials from "./Materials.ts"
import * as Prepare from "./Prepare.ts"
import * as Side from "./Side.ts"

/** How far two losses of single precision may lie apart, relatively. */
const tolerance = 1e-3

/** The same for the first step, before rounding had a chance to grow. */
const firstTolerance = 1e-4

interface Trial {
  readonly name: string
  readonly folder: string
  readonly variants: ReadonlyArray<string>
  readonly what: string
  readonly steps: number
}

/** The largest relative difference of two rows of losses, and whether it is small enough. */
export const agreement = (
  ours: ReadonlyArray<number>,
  theirs: ReadonlyArray<number>
): { readonly first: number; readonly largest: number; readonly agrees: boolean } => {
  const apart = ours.map((loss, i) => Math.abs(loss - (theirs[i] ?? Number.NaN)) / Math.abs(loss))
  const [first, largest] = [apart[0] ?? Number.NaN, Math.max(...apart)]
  const agrees = ours.length === theirs.length && first <= firstTolerance && largest <= tolerance
  return { first, largest, agrees }
}

const lossesOf = async (side: Side.Side, { what, steps }: Trial): Promise<ReadonlyArray<number>> => {
  try {
    return (await side.ask({ what, steps })).losses
  } finally {
    await side.close()
  }
}

const trials = async (context: Context): Promise<ReadonlyArray<Trial>> => {
  const { cases, shapes, widths, threads, compile } = context.options
  const made: Array<Trial> = []
  const variantsOf = (...all: ReadonlyArray<string>) => all.filter((v) => compile > 0 || !v.includes("compile"))
  for (const shape of shapes) {
    if (cases.includes("a")) {
      const folder = folderOf(context, "a", shape.name)
      Prepare.train(context.scratch, folder, shape, threads)
      made.push({
        name: `a ${shape.name}`,
        folder,
        variants: variantsOf("eager", "sdpa", "compile"),
        what: "",
        steps: 3
      })
    }
    for (const width of cases.includes("b") ? widths : []) {
      const folder = folderOf(context, "b", shape.name, width)
      Prepare.distil(context.scratch, folder, shape, width, threads)
      const name = `b ${shape.name} ${100 * width} %`
      made.push({ name, folder, variants: variantsOf("eager", "compile"), what: "", steps: 3 })
    }
    if (cases.includes("c") && shape.hidden === 128) {
      // ten steps of the whole model, then two pruning events: PLATON scores nothing before
      const steps = 30
      const { model } = await Materials.teacher(shape.hidden, threads)
      const folder = folderOf(context, "c", shape.name)
      Prepare.run(folder, model, await Materials.corpusBatches(steps), steps, threads)
      made.push({ name: `c ${shape.name}`, folder, variants: ["masks", "shrink"], what: "platon", steps: 1 })
    }
  }
  return made
}

/** Has both sides take the first steps from the same weights on the same batches, and compares the losses; the exit status. */
export const check = async (context: Context): Promise<number> => {
  if (context.torch === undefined) return 2
  let failed = 0
  for (const trial of await trials(context)) {
    const ours = await lossesOf(Side.ours(trial.folder), trial)
    for (const variant of trial.variants) {
      const theirs = await lossesOf(Side.peer(trial.folder, variant, context.options.threads), trial)
      const { first, largest, agrees } = agreement(ours, theirs)
      if (!agrees) failed++
      const [begin, end] = [ours, theirs].map((all) => `${all[0]?.toFixed(5)} .. ${all.at(-1)?.toFixed(5)}`)
      console.log(
        `${agrees ? "ok  " : "FAIL"} ${trial.name}, ${variant}: ours ${begin}, PyTorch ${end}; apart ${first.toExponential(1)} at first, ${largest.toExponential(1)} at most`
      )
    }
  }
  return failed === 0 ? 0 : 1
}
