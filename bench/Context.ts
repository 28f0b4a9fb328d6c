import { join } from "node:path"
import type { Machine } from "./Machine.ts"
import type { Options } from "./Options.ts"
import { alternate, type Named, type Replies } from "./Rounds.ts"
import type { Request } from "./Job.ts"
import * as Side from "./Side.ts"
import * as Variants from "./Variants.ts"

/** What every case is given. */
export interface Context {
  readonly options: Options
  readonly machine: Machine
  /** PyTorch's version; absent where there is none. */
  readonly torch: string | undefined
  /** A folder that ends with the benchmark. */
  readonly scratch: string
  readonly say: (line: string) => void
  /** Multiplications and additions a nanosecond that one large product reaches, the better of both sides. */
  readonly peak: number
}

/** The names of the two sides. */
export const [oursName, peerName] = ["ours", "PyTorch"] as const

/** A comparison of both sides on one job. */
export interface Comparison {
  readonly replies: Replies
  readonly choice: Variants.Choice | undefined
}

/** A folder for a job. */
export const folderOf = ({ scratch }: Context, ...name: ReadonlyArray<string | number>): string =>
  join(scratch, name.join("-"))

/** Warms both sides up, has PyTorch choose its best variant, then lets them take turns. */
export const compare = async (
  context: Context,
  folder: string,
  variants: ReadonlyArray<string>,
  requests: ReadonlyArray<Request>,
  rounds: number
): Promise<ReadonlyArray<Comparison>> => {
  const { options, torch, say, machine } = context
  const { threads, compile, recalibrate: again } = options
  const key = [machine.cpu, torch, `${threads} threads`, folder.slice(context.scratch.length + 1)].join(" | ")
  const what = requests[0]?.what ?? ""
  const choice =
    torch === undefined
      ? undefined
      : await Variants.choose({ key, folder, threads, variants, what, compile, again }, say)
  const sides: ReadonlyArray<Named> = [
    { name: oursName, side: Side.ours(folder) },
    ...(choice === undefined ? [] : [{ name: peerName, side: Side.peer(folder, choice.variant, threads) }])
  ]
  try {
    for (const { side } of sides) for (const request of requests) await side.ask({ ...request, steps: 3 })
    const made: Array<Comparison> = []
    for (const request of requests) {
      // the first step of a turn is not counted
      const replies = await alternate(sides, rounds, { ...request, steps: request.steps + 1 })
      made.push({ replies, choice })
    }
    return made
  } finally {
    await Promise.all(sides.map(({ side }) => side.close()))
  }
}
