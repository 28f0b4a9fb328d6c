import { alternate, type Named } from "../Rounds.ts"
import type { Context } from "../Context.ts"
import { folderOf, oursName, peerName } from "../Context.ts"
import * as Prepare from "../Prepare.ts"
import { number, type Row, type Section } from "../Report.ts"
import * as Side from "../Side.ts"

/** Products as m×k×n: a large square one, and those of the feed-forward blocks. */
const products = ["1024x1024x1024", "2048x2048x2048", "1024x768x3072", "1024x3072x768", "2048x256x1024"]

/** The machine's peak: the best that a large matrix product reaches in either side, in GFLOPS. */
export const peak = async (
  context: Omit<Context, "peak">
): Promise<{ readonly best: number; readonly section: Section }> => {
  context.say("matrix products")
  const { options, torch } = context
  const folder = folderOf({ ...context, peak: 0 }, "product")
  Prepare.product(folder, options.threads)
  const sides: ReadonlyArray<Named> = [
    { name: oursName, side: Side.ours(folder) },
    ...(torch === undefined ? [] : [{ name: peerName, side: Side.peer(folder, "eager", options.threads) }])
  ]
  try {
    const rows: Array<Row> = []
    let best = 0
    for (const what of products) {
      const flops = 2 * what.split("x").reduce((n, each) => n * Number(each), 1)
      const steps = Math.max(5, Math.round((options.quick ? 5e9 : 5e10) / flops))
      const replies = await alternate(sides, options.quick ? 2 : 3, { what, steps })
      const of = (name: string): number => flops / Math.min(...(replies.get(name) ?? []).flatMap(({ ms }) => ms)) / 1e6
      const [ours, peer] = [of(oursName), torch === undefined ? Number.NaN : of(peerName)]
      best = Math.max(best, ours, Number.isNaN(peer) ? 0 : peer)
      rows.push({
        cells: { "m×k×n": what, "ours GFLOPS": number(ours), "PyTorch GFLOPS": number(peer) },
        data: { what, ours, peer }
      })
    }
    const note = `The best single product of either side is taken as the machine's peak: ${number(best)} GFLOPS.`
    return { best, section: { title: "Matrix products", note, rows } }
  } finally {
    await Promise.all(sides.map(({ side }) => side.close()))
  }
}
