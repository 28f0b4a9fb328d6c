import { type Context, folderOf, oursName } from "../Context.ts"
import * as Materials from "../Materials.ts"
import * as Prepare from "../Prepare.ts"
import { mebibytes, number, type Row, type Section, spread } from "../Report.ts"
import { alternate, type Named, peakOf, type Replies, whole } from "../Rounds.ts"
import * as Side from "../Side.ts"
import * as Spread from "../Spread.ts"

/** The ways in which PyTorch prunes. */
const ways = ["masks", "shrink"] as const

const stepsOf = ({ options }: Context): number => options.steps ?? (options.quick ? 100 : 400)

/** Runs of a job by all sides, turn by turn; nothing is warmed up, since a run is done once. */
const runs = async (context: Context, folder: string, scorers: ReadonlyArray<string>): Promise<Replies> => {
  const { options, torch, say } = context
  const peers = torch === undefined ? [] : ways
  const sides: ReadonlyArray<Named> = [
    { name: oursName, side: Side.ours(folder) },
    ...peers.map((way) => ({ name: way, side: Side.peer(folder, way, options.threads) }))
  ]
  const rounds = options.runRounds
  try {
    return await alternate(sides, rounds, { what: scorers.join("+"), steps: 1 }, (round) =>
      say(`   round ${round + 1} of ${rounds}`)
    )
  } finally {
    await Promise.all(sides.map(({ side }) => side.close()))
  }
}

const rowsOf = (names: { readonly [column: string]: string }, replies: Replies): ReadonlyArray<Row> => {
  const of = (name: string) => {
    const all = replies.get(name) ?? []
    const ms = all.map(whole)
    return { ms, seconds: Spread.median(ms) / 1000, memory: peakOf(all), finals: all.at(-1)?.finals ?? {} }
  }
  const ours = of(oursName)
  const against = replies.size > 1 ? ways : ["—"]
  return against.map((way) => {
    const peer = of(way)
    const ratio = Spread.faster(ours.ms, peer.ms)
    const last = (finals: { readonly [name: string]: number }, term: string): string =>
      Object.entries(finals)
        .filter(([name]) => name.endsWith(` ${term}`))
        .map(([, value]) => number(value, 4))
        .join(" ")
    return {
      cells: {
        ...names,
        "PyTorch with": way,
        "speed ours/PyTorch": spread(ratio),
        "ours s": number(ours.seconds),
        "PyTorch s": number(peer.seconds),
        "ours loss": last(ours.finals, "total"),
        "PyTorch loss": last(peer.finals, "total") || "—",
        "ours KL": last(ours.finals, "kl"),
        "PyTorch KL": last(peer.finals, "kl") || "—",
        "ours MiB": mebibytes(ours.memory),
        "PyTorch MiB": mebibytes(peer.memory)
      },
      data: { ...names, way, ratio: { ...ratio }, ours: { ...ours }, peer: { ...peer } }
    }
  })
}

/** Case c: a whole HomoDistil run at the micro setting, training time only. */
export const wholeRuns = async (context: Context): Promise<Section> => {
  const rows: Array<Row> = []
  const origins: Array<string> = []
  const steps = stepsOf(context)
  for (const { name, hidden, layers } of context.options.shapes) {
    if (layers !== 4) continue
    context.say(`c ${name}`)
    const { model, origin } = await Materials.teacher(hidden, context.options.threads)
    origins.push(`${name}: ${origin}`)
    const folder = folderOf(context, "c", name)
    Prepare.run(folder, model, await Materials.corpusBatches(steps), steps, context.options.threads)
    rows.push(...rowsOf({ shape: name }, await runs(context, folder, ["platon"])))
  }
  return {
    title: `c. A whole run of ${steps} steps to 25 % of each axis`,
    note: `Batches of 16×64 from the corpus, pruning every 10 steps until .7 of the run, PLATON; ours compiles at each pruning event. Losses are means of the last 20 steps. ${origins.join("; ")}.`,
    rows
  }
}

/** Case e: the same with four scorers, one seed. */
export const ablation = async (context: Context): Promise<Section> => {
  const steps = stepsOf(context)
  const scorers = ["magnitude", "random", "sensitivity", "platon"]
  const title = `e. Four scorers, one seed, ${steps} steps each`
  const shape = context.options.shapes.find(({ hidden }) => hidden === 128)
  if (shape === undefined) return { title, note: "Only 4x128 has it.", rows: [] }
  context.say(`e ${shape.name}`)
  const { model } = await Materials.teacher(shape.hidden, context.options.threads)
  const folder = folderOf(context, "e", shape.name)
  Prepare.run(folder, model, await Materials.corpusBatches(steps), steps, context.options.threads)
  const rows = rowsOf({ shape: shape.name }, await runs(context, folder, scorers))
  return { title, note: `The losses are those of ${scorers.join(", ")}; PyTorch runs one after the other.`, rows }
}
