import { Flops } from "homodistil/model"
import { compare, type Context, folderOf, oursName, peerName } from "../Context.ts"
import * as Prepare from "../Prepare.ts"
import { number, percent, type Row, type Section, spread } from "../Report.ts"
import { perStep, type Replies } from "../Rounds.ts"
import { configOf, maskedOf, narrowed, type Shape } from "../Shapes.ts"
import * as Spread from "../Spread.ts"
import { stepsOf } from "./steps.ts"

const students = [
  { name: "student-50", width: 0.5 },
  { name: "student-25", width: 0.25 }
] as const

interface Latencies {
  readonly teacher: Replies
  readonly student: Replies
}

/** Many batches of the micro size for the small shapes; one sentence and eight for the large ones. */
const batchesOf = ({ hidden }: Shape): ReadonlyArray<{ readonly rows: number; readonly length: number }> =>
  hidden <= 256
    ? [{ rows: 16, length: 64 }]
    : [
        { rows: 1, length: 128 },
        { rows: 8, length: 128 }
      ]

const rowOf = (
  names: { readonly [column: string]: string },
  flopRatio: number,
  { teacher, student }: Latencies
): Row => {
  const of = (name: string) => {
    const [slow, fast] = [(teacher.get(name) ?? []).map(perStep), (student.get(name) ?? []).map(perStep)]
    const speedUp = Spread.faster(fast, slow)
    return { teacher: Spread.median(slow), student: Spread.median(fast), speedUp, share: speedUp.median / flopRatio }
  }
  const [ours, peer] = [of(oursName), of(peerName)]
  return {
    cells: {
      ...names,
      "FLOP ratio": number(flopRatio),
      "speed-up": spread(ours.speedUp),
      "share of it": percent(ours.share),
      "teacher ms": number(ours.teacher),
      "student ms": number(ours.student),
      "PyTorch speed-up": spread(peer.speedUp),
      "its share": percent(peer.share),
      "its teacher ms": number(peer.teacher),
      "its student ms": number(peer.student)
    },
    data: {
      ...names,
      flopRatio,
      ours: { ...ours, speedUp: { ...ours.speedUp } },
      peer: { ...peer, speedUp: { ...peer.speedUp } }
    }
  }
}

/** Case d: how much faster a student answers than its teacher, beside how much less it computes. */
export const inference = async (context: Context): Promise<Section> => {
  const { options } = context
  const rows: Array<Row> = []
  for (const shape of options.shapes)
    for (const batch of batchesOf(shape)) {
      const size = `${batch.rows}×${batch.length}`
      context.say(`d ${shape.name} ${size}`)
      const folder = folderOf(context, "d", shape.name, batch.rows, batch.length)
      Prepare.infer(context.scratch, folder, shape, batch, students, options.threads)
      const steps = 2 * stepsOf(context, shape)
      const requests = ["teacher", ...students.map(({ name }) => name)].map((what) => ({ what, steps }))
      const variants = ["eager", "sdpa", "sdpa+compile"]
      const [teacher, ...narrow] = await compare(context, folder, variants, requests, options.rounds)
      const counted = { ...batch, masked: maskedOf(batch.rows, batch.length) }
      const whole = configOf(shape)
      students.forEach(({ width }, i) => {
        const student = narrow[i]
        if (teacher === undefined || student === undefined) return
        const flopRatio = Flops.forward(whole, counted) / Flops.forward(narrowed(whole, width), counted)
        const names = { shape: shape.name, batch: size, width: percent(width) }
        rows.push(rowOf(names, flopRatio, { teacher: teacher.replies, student: student.replies }))
      })
    }
  return {
    title: "d. Inference of the student against its teacher",
    note: "Forward pass with logits at the masked places. The share is the speed-up over the ratio of the two models' operations.",
    rows
  }
}
