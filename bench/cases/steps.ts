import { Flops } from "homodistil/model"
import { type Comparison, compare, type Context, folderOf, oursName, peerName } from "../Context.ts"
import * as Prepare from "../Prepare.ts"
import { mebibytes, number, percent, type Row, type Section, spread } from "../Report.ts"
import { peakOf, perStep } from "../Rounds.ts"
import { configOf, maskedOf, narrowed, type Shape } from "../Shapes.ts"
import * as Spread from "../Spread.ts"
import { describe } from "../Variants.ts"

/** Steps of a turn, so that it takes a second or two. */
const usual: { readonly [shape: string]: number } = { "4x128": 40, "4x256": 16, "6x384": 5, "12x768": 3 }

/** How many steps a turn at a shape has. */
export const stepsOf = ({ options }: Context, { name }: Shape): number =>
  options.steps ?? (options.quick ? 2 : (usual[name] ?? 4))

const batchOf = ({ rows, length }: Shape): Flops.Batch => ({ rows, length, masked: maskedOf(rows, length) })

/** A row of cases a and b. */
const rowOf = (
  { peak }: Context,
  names: { readonly [column: string]: string },
  flops: number,
  { replies, choice }: Comparison
): Row => {
  const of = (name: string) => {
    const all = replies.get(name) ?? []
    const ms = all.map(perStep)
    return { ms, median: Spread.median(ms), gflops: flops / Spread.median(ms) / 1e6, memory: peakOf(all) }
  }
  const [ours, peer] = [of(oursName), of(peerName)]
  const ratio = Spread.faster(ours.ms, peer.ms)
  return {
    cells: {
      ...names,
      "speed ours/PyTorch": spread(ratio),
      "ours ms": number(ours.median),
      "PyTorch ms": number(peer.median),
      "ours GFLOPS": number(ours.gflops),
      "of peak": percent(ours.gflops / peak),
      "PyTorch GFLOPS": number(peer.gflops),
      "ours MiB": mebibytes(ours.memory),
      "PyTorch MiB": mebibytes(peer.memory),
      "memory ours/PyTorch": number(ours.memory / peer.memory, 2),
      PyTorch: choice?.variant ?? "—"
    },
    data: {
      ...names,
      flops,
      peakGflops: peak,
      ratio: { ...ratio },
      ours: { ...ours },
      peer: { ...peer },
      variant: choice?.variant ?? null,
      variants: { ...choice?.times }
    }
  }
}

const note = (tried: ReadonlyArray<string>): string =>
  `Above 1 ours is faster: median (least..most) of the rounds' ratios. MiB is the most a process ever held.${tried.length === 0 ? "" : ` PyTorch's variants: ${tried.join("; ")}.`}`

const triedBy = (name: string, { choice }: Comparison): ReadonlyArray<string> =>
  choice === undefined || Object.keys(choice.times).length === 0 ? [] : [`${name} ${describe(choice)}`]

/** Case a: a masked-language-model step, forward, backward, clipping and AdamW. */
export const maskedLm = async (context: Context): Promise<Section> => {
  const { shapes, threads, rounds } = context.options
  const rows: Array<Row> = []
  const tried: Array<string> = []
  for (const shape of shapes) {
    context.say(`a ${shape.name}`)
    const folder = folderOf(context, "a", shape.name)
    Prepare.train(context.scratch, folder, shape, threads)
    const request = { what: "", steps: stepsOf(context, shape) }
    const variants = ["eager", "sdpa", "compile", "sdpa+compile"]
    const [made] = await compare(context, folder, variants, [request], rounds)
    if (made === undefined) continue
    const flops = Flops.trainingStep(configOf(shape), batchOf(shape))
    rows.push(rowOf(context, { shape: shape.name, batch: `${shape.rows}×${shape.length}` }, flops, made))
    tried.push(...triedBy(shape.name, made))
  }
  return { title: "a. Masked-language-model training step", note: note(tried), rows }
}

/** Case b: a distillation step with all five loss terms and PLATON. */
export const distillation = async (context: Context): Promise<Section> => {
  const { shapes, widths, threads, rounds } = context.options
  const rows: Array<Row> = []
  const tried: Array<string> = []
  for (const shape of shapes)
    for (const width of widths) {
      context.say(`b ${shape.name} ${percent(width)}`)
      const folder = folderOf(context, "b", shape.name, width)
      Prepare.distil(context.scratch, folder, shape, width, threads)
      const request = { what: "", steps: stepsOf(context, shape) }
      const [made] = await compare(context, folder, ["eager", "compile"], [request], rounds)
      if (made === undefined) continue
      const teacher = configOf(shape)
      const flops = Flops.distillationStep(teacher, narrowed(teacher, width), batchOf(shape))
      rows.push(rowOf(context, { shape: shape.name, width: percent(width) }, flops, made))
      tried.push(...triedBy(`${shape.name} ${percent(width)}`, made))
    }
  return { title: "b. Distillation step", note: note(tried), rows }
}
