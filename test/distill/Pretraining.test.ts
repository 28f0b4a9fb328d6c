import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Backend } from "homodistil/backend"
import { Pretraining } from "homodistil/distill"
import { BertConfig, Parameters } from "homodistil/model"
import { adamW } from "homodistil/optimizer"
import { Schedule } from "homodistil/schedule"
import { Seed, Spec } from "homodistil/spec"
import { assert, describe, it } from "vitest"
import { batch, config, native } from "./samples.ts"

/** Rows of one token, so that there is something to learn within a few steps. */
const easy = (seed: Seed.Seed, step: number) => {
  const rows = batch(seed, step)
  return { ...rows, ids: rows.ids.fill(7), labels: rows.labels.fill(7) }
}

const options: Pretraining.PretrainingOptions = {
  config,
  steps: 30,
  causalShare: 0.5,
  dropout: { hidden: 0.1, attention: 0.1 },
  optimizer: adamW(),
  learningRate: Schedule.constant(1e-2),
  positions: "sinusoidal",
  seed: Seed.make(3),
  batches: { spec: Spec.make("easy"), masked: easy, causal: easy },
  every: 10
}

const run = (o: Pretraining.PretrainingOptions) => native(Stream.runCollect(Pretraining.pretrain(o)))

describe("pre-training", () => {
  it("learns, first causally and then masked, with a snapshot now and then and at the end", async () => {
    const events = await run(options)
    const steps = events.flatMap((event) => (event._tag === "Step" ? [event] : []))
    assert.deepEqual(
      steps.map(({ step }) => step),
      Array.from({ length: 30 }, (_, i) => i)
    )
    assert.deepEqual(new Set(steps.slice(0, 15).map(({ phase }) => phase)), new Set(["causal"]))
    assert.deepEqual(new Set(steps.slice(15).map(({ phase }) => phase)), new Set(["masked"]))
    assert.isBelow(steps[29]?.loss ?? 9, (steps[0]?.loss ?? 0) / 4)
    const snapshots = events.flatMap((event) => (event._tag === "Snapshot" ? [event] : []))
    assert.deepEqual(
      snapshots.map(({ step, last }) => [step, last]),
      [
        [10, false],
        [20, false],
        [30, true]
      ]
    )
  })

  it("is a function of its options, dropout included", async () => {
    const short = { ...options, steps: 4 }
    const losses = async (o: Pretraining.PretrainingOptions) =>
      (await run(o)).flatMap((event) => (event._tag === "Step" ? [event.loss] : []))
    assert.deepEqual(await losses(short), await losses(short))
    assert.notDeepEqual(await losses(short), await losses({ ...short, seed: Seed.make(4) }))
    assert.notDeepEqual(await losses(short), await losses({ ...short, dropout: { hidden: 0, attention: 0 } }))
  })

  it("starts from given weights, and trains the head alone where the encoder is frozen", async () => {
    const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(5))
    const from = { parameters, digest: "five" }
    const still = { hidden: 0, attention: 0 }
    const adapt = async (frozen: { readonly frozen?: "encoder" }) => {
      const events = await run({ ...options, ...frozen, from, causalShare: 0, dropout: still })
      const losses = events.flatMap((event) => (event._tag === "Step" ? [event.loss] : []))
      const last = events.findLast((event) => event._tag === "Snapshot")
      if (last?._tag !== "Snapshot") throw new Error("no snapshot")
      const moved = Object.entries(last.model.parameters).flatMap(([name, { data }]) =>
        data.some((x, i) => x !== parameters[name]?.data[i]) ? [name] : []
      )
      assert.deepEqual(Object.keys(last.model.parameters).sort(), Object.keys(parameters).sort())
      return { losses, moved }
    }
    const [head, all] = [await adapt({ frozen: "encoder" }), await adapt({})]
    assert.strictEqual(head.losses[0], all.losses[0])
    assert.isTrue(head.moved.length > 0 && head.moved.every((name) => name.startsWith("cls.")))
    assert.isTrue(all.moved.some((name) => name.startsWith("bert.encoder")))
    for (const { losses } of [head, all]) assert.isBelow(losses.at(-1) ?? 9, (losses[0] ?? 0) - 0.5)
  })

  it("leaves nothing live, and stops at a loss that is no number", async () => {
    const live = await native(
      Effect.gen(function* () {
        const end = yield* Effect.flip(
          Stream.runDrain(Pretraining.pretrain({ ...options, learningRate: Schedule.constant(1e35) }))
        )
        assert.strictEqual(end._tag, "Diverged")
        return yield* (yield* Backend).live
      })
    )
    assert.deepEqual(live, { tensors: 0, sessions: 0 })
  })

  it("describes everything that shapes its result", () => {
    const changed = [
      { steps: 31 },
      { causalShare: 0.4 },
      { frozen: "encoder" as const },
      { from: { parameters: {}, digest: "other" } },
      { dropout: { hidden: 0, attention: 0 } },
      { positions: "normal" }
    ] as const
    for (const change of changed)
      assert.notDeepEqual(
        Pretraining.spec({ ...options, ...change }),
        Pretraining.spec(options),
        JSON.stringify(change)
      )
  })
})
