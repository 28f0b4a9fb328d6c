import { assert, describe, it } from "@effect/vitest"
import { type HostTensor, tf } from "homodistil/backend"
import * as Loss from "homodistil/loss"
import { Spec } from "homodistil/spec"
import * as fc from "fast-check"
import * as oracle from "../oracle.ts"
import { draw, type LossCase, lossLaws, padded, size, value } from "./losses.ts"
import type { Named } from "./bothWays.ts"
import { runs } from "./random.ts"
import { rejects } from "./rejects.ts"

/** The rows of a tensor's last axis as plain lists. */
const matrix = (x: HostTensor | undefined): ReadonlyArray<ReadonlyArray<number>> => {
  const width = x?.shape.at(-1) ?? 1
  const data = [...(x?.data ?? [])]
  return Array.from({ length: data.length / width }, (_, i) => data.slice(i * width, (i + 1) * width))
}

const valid = (x: Named<HostTensor>): ReadonlyArray<boolean> =>
  [...(x["attention"]?.data ?? padded.data.map(() => 1))].map((v) => v === 1)

const states =
  (name: string) =>
  (x: Named<HostTensor>): number =>
    oracle.meanSquare(
      oracle.product(matrix(x[`student ${name}`]), matrix(x["projection"])),
      matrix(x[`teacher ${name}`]),
      valid(x)
    )

const scores =
  (layer: number, scaled: boolean) =>
  (x: Named<HostTensor>): number => {
    const nested = (name: string): oracle.Scores => byHead(x[`${name} scores ${layer}`])
    return oracle.attention(nested("student"), nested("teacher"), tokens(x), scaled)
  }

const tokens = (x: Named<HostTensor>): ReadonlyArray<ReadonlyArray<boolean>> =>
  Array.from({ length: size.rows }, (_, r) => valid(x).slice(r * size.length, (r + 1) * size.length))

/** A tensor [rows, heads, length, any width] as nested lists. */
const byHead = (x: HostTensor | undefined): oracle.Scores => {
  const { rows, heads, length } = size
  const lines = matrix(x)
  const at = (r: number, h: number) => lines.slice((r * heads + h) * length, (r * heads + h + 1) * length)
  return Array.from({ length: rows }, (_, r) => Array.from({ length: heads }, (_h, h) => at(r, h)))
}

const attentionDistribution =
  (layer: number) =>
  (x: Named<HostTensor>): number =>
    oracle.relationDivergence(byHead(x[`student scores ${layer}`]), byHead(x[`teacher scores ${layer}`]), tokens(x))
const valueRelation =
  (layer: number) =>
  (x: Named<HostTensor>): number =>
    oracle.relationDivergence(
      oracle.valueRelation(byHead(x[`student values ${layer}`])),
      oracle.valueRelation(byHead(x[`teacher values ${layer}`])),
      tokens(x)
    )
const cosine = (x: Named<HostTensor>): number =>
  oracle.cosineDistance(
    oracle.product(matrix(x["student hidden 1"]), matrix(x["projection"])),
    matrix(x["teacher hidden 1"]),
    valid(x)
  )

const mlm = (x: Named<HostTensor>): number =>
  oracle.crossEntropy(matrix(x["student logits"]), [...(x["labels"]?.data ?? [])])
const kl =
  (temperature: number) =>
  (x: Named<HostTensor>): number =>
    oracle.klDivergence(matrix(x["student logits"]), matrix(x["teacher logits"]), temperature)
const add =
  (...terms: ReadonlyArray<(x: Named<HostTensor>) => number>) =>
  (x: Named<HostTensor>): number =>
    terms.reduce((sum, term) => sum + term(x), 0)
const half =
  (f: (x: Named<HostTensor>) => number) =>
  (x: Named<HostTensor>): number =>
    f(x) / 2

const hiddenSum = add(states("hidden 0"), states("hidden 1"))
const attentionSum = (scaled: boolean) => add(scores(0, scaled), scores(1, scaled))
const micro = add(mlm, kl(1), half(hiddenSum), states("embedding"), half(attentionSum(true)))
const paper = add(mlm, kl(1), hiddenSum, states("embedding"), attentionSum(false))

/** Every loss: a new one joins by one line. */
const table: ReadonlyArray<LossCase & { readonly oracle: (x: Named<HostTensor>) => number }> = [
  { loss: Loss.maskedLm(), zeroAtTeacher: false, oracle: mlm },
  { loss: Loss.kl(), zeroAtTeacher: true, oracle: kl(1) },
  { loss: Loss.kl({ temperature: 2 }), zeroAtTeacher: true, oracle: kl(2) },
  { loss: Loss.hidden(), zeroAtTeacher: true, oracle: half(hiddenSum) },
  { loss: Loss.hidden({ reduce: "sum" }), zeroAtTeacher: true, oracle: hiddenSum },
  { loss: Loss.embedding(), zeroAtTeacher: true, oracle: states("embedding") },
  { loss: Loss.attention(), zeroAtTeacher: true, oracle: half(attentionSum(true)) },
  { loss: Loss.attention({ scale: "raw", reduce: "sum" }), zeroAtTeacher: true, oracle: attentionSum(false) },
  { loss: Loss.attentionDistribution(), zeroAtTeacher: true, oracle: attentionDistribution(1) },
  {
    loss: Loss.attentionDistribution({ layers: "all" }),
    zeroAtTeacher: true,
    oracle: half(add(attentionDistribution(0), attentionDistribution(1)))
  },
  { loss: Loss.valueRelation(), zeroAtTeacher: true, oracle: valueRelation(1) },
  {
    loss: Loss.valueRelation({ layers: "all", reduce: "sum" }),
    zeroAtTeacher: true,
    oracle: add(valueRelation(0), valueRelation(1))
  },
  { loss: Loss.cosine(), zeroAtTeacher: true, oracle: cosine },
  { loss: Loss.none, zeroAtTeacher: true, oracle: () => 0 },
  { loss: Loss.scale(0.25, Loss.kl()), zeroAtTeacher: true, oracle: (x) => 0.25 * kl(1)(x) },
  { loss: Loss.homoDistil(), zeroAtTeacher: false, oracle: micro },
  { loss: Loss.homoDistil({ scale: "raw", reduce: "sum" }), zeroAtTeacher: false, oracle: paper },
  { loss: Loss.homoDistil({ mlm: 0, kl: 0, embedding: 0, attention: 0 }), zeroAtTeacher: true, oracle: half(hiddenSum) }
]

describe.each(table.map((subject) => ({ ...subject, name: Spec.describe(subject.loss.spec) })))(
  "loss $name",
  (subject) => {
    it.each(Object.keys(lossLaws))("%s", async (law) => lossLaws[law]?.(subject))

    it("agrees with a plain loop", () =>
      fc.assert(
        fc.asyncProperty(fc.nat({ max: 1e6 }), fc.boolean(), async (seed, withPadding) => {
          const x = draw(seed, withPadding)
          const expected = subject.oracle(x)
          const { total = Number.NaN } = await value(subject.loss, x)
          assert.isAtMost(Math.abs(total - expected), 1e-5 * Math.max(1, expected))
        }),
        runs
      ))
  }
)

const broken = (
  apply: Loss.DistillationLoss["apply"],
  taps: Loss.DistillationLoss["taps"] = ["hidden", "logits"]
): Loss.DistillationLoss => ({
  spec: Spec.make("broken"),
  taps,
  terms: ["broken"],
  apply
})
const first = (list: ReadonlyArray<tf.Tensor>): tf.Tensor => list[0] ?? tf.scalar(0)
const firstError = ({ student, teacher, projections }: Loss.LossInput): tf.Tensor =>
  tf.squaredDifference(projections.hidden(first(student.hidden), 0), first(teacher.hidden))
const doubled = tf.customGrad((...args) => {
  const [x] = args
  const t = x instanceof tf.Tensor ? x : tf.scalar(0)
  return { value: tf.mul(t, 1), gradFunc: (dy: tf.Tensor) => tf.mul(dy, 2) }
})
let calls = 0

/** Losses that are wrong, each with the law that must reject it. */
const twins: ReadonlyArray<readonly [law: string, loss: Loss.DistillationLoss]> = [
  ["lossIsNotNegative", broken(({ student }) => Loss.term("broken", tf.mean(student.logits)))],
  ["teacherIsPerfect", broken((input) => Loss.term("broken", tf.add(tf.mean(firstError(input)), 1e-3)))],
  ["paddingNeverMatters", broken((input) => Loss.term("broken", tf.mean(firstError(input))))],
  [
    "fullMaskIsNone",
    broken((input) => Loss.term("broken", tf.mul(tf.mean(firstError(input)), input.attention === undefined ? 2 : 1)))
  ],
  ["orderNeverMatters", broken((input) => Loss.term("broken", tf.mean(tf.slice(firstError(input), [0, 0], [1, -1]))))],
  ["onlyDeclaredTaps", broken((input) => Loss.term("broken", tf.mean(firstError(input))), ["logits"])],
  ["onlyDeclaredTaps", { ...broken((input) => Loss.term("broken", tf.mean(firstError(input)))), teacherFree: true }],
  ["sumsAreSums", broken((input) => Loss.term("broken", tf.mul(tf.mean(firstError(input)), ++calls)))],
  ["gradientIsTheSlope", broken((input) => Loss.term("broken", doubled(tf.mean(firstError(input)))))],
  [
    "compiledIsEager",
    broken((input) => Loss.term("broken", tf.mul(tf.mean(firstError(input)), tf.getBackend() === "cpu" ? 1 : 1.01)))
  ]
]

describe("the laws of losses", () => {
  it.each(twins)("%s rejects a broken twin", (law, loss) =>
    rejects(() => lossLaws[law]?.({ loss, zeroAtTeacher: true }))
  )

  it("each have a broken twin", () => {
    assert.deepStrictEqual([...new Set(twins.map(([law]) => law))].toSorted(), Object.keys(lossLaws).toSorted())
  })
})
