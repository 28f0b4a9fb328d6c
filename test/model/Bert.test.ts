import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import {
  Backend,
  evaluate,
  type HostTensor,
  OnnxBackend,
  TfjsBackend,
  Tensor,
  type tf,
  transfer
} from "homodistil/backend"
import {
  Activation,
  Bert,
  type BertConfig,
  Parameters,
  BertConfig as Config,
  type ParameterValues,
  Tokens
} from "homodistil/model"
import { Seed } from "homodistil/spec"
import { plainBert, plainLogits } from "./plainBert.ts"
import { config, everywhere, randomParameters, randomTokens } from "./tiny.ts"

const engines = { onnx: OnnxBackend.layer({ threads: 2 }), cpu: TfjsBackend.layer("cpu") }

interface Taps {
  readonly embedding: HostTensor
  readonly hidden: { readonly [layer: string]: HostTensor }
  readonly scores: { readonly [layer: string]: HostTensor }
  readonly values: { readonly [layer: string]: HostTensor }
  readonly logits: HostTensor
}

/** The taps of a forward pass. */
const forward = (
  engine: keyof typeof engines,
  parameters: ParameterValues,
  tokens: Tokens.Tokens,
  o: { readonly causal?: boolean; readonly of?: BertConfig.BertConfig; readonly keptHidden?: HostTensor } = {}
): Promise<Taps> =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const of = o.of ?? config
    const kept = o.keptHidden === undefined ? {} : { units: o.keptHidden }
    const signature = {
      parameters: Parameters.signature(Parameters.bert(of), Config.axes(of)),
      tokens: Tokens.signature(tokens),
      positions: Tensor.int(tokens.ids.length),
      kept: Object.fromEntries(Object.keys(kept).map((name) => [name, Tensor.float(of.hidden)]))
    }
    const compiled = yield* backend.compile("forward", signature, (x) => {
      const units = x.kept["units"]
      const options = { causal: o.causal ?? false, ...(units === undefined ? {} : { keptHidden: units }) }
      const outputs = Bert.encode(x.parameters, of, Tokens.tensors(tokens, x.tokens), options)
      const byLayer = (list: ReadonlyArray<tf.Tensor>) => Object.fromEntries(list.map((t, i) => [String(i), t]))
      return {
        embedding: outputs.embedding,
        hidden: byLayer(outputs.hidden),
        scores: byLayer(outputs.scores),
        values: byLayer(outputs.values),
        logits: Bert.maskedLmLogits(x.parameters, of, Bert.last(outputs), x.positions, options)
      }
    })
    const given = yield* transfer.upload(backend, {
      parameters,
      tokens: Tokens.inputs(tokens),
      positions: everywhere(tokens),
      kept
    })
    return yield* transfer.download(backend, yield* compiled.run(given))
  }).pipe(Effect.scoped, Effect.provide(engines[engine]), Effect.runPromise)

const close = (actual: HostTensor | undefined, expected: ArrayLike<number>, tolerance: number, what: string): void => {
  assert.strictEqual(actual?.data.length, expected.length, what)
  actual?.data.forEach((v, i) => {
    const wanted = expected[i] ?? Number.NaN
    assert.isTrue(Math.abs(v - wanted) <= tolerance * (1 + Math.abs(wanted)), `${what}[${i}] is ${v}, not ${wanted}`)
  })
}

const variants = [
  { padding: false, types: false, causal: false },
  { padding: true, types: true, causal: false },
  { padding: false, types: true, causal: true },
  { padding: true, types: false, causal: true }
]

describe.each(Object.keys(engines) as ReadonlyArray<keyof typeof engines>)("the forward pass (%s)", (engine) => {
  it.each(variants)("is the plain loops' at every tap: %j", (variant) =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 2, max: 6 }),
        async (n, rows, length) => {
          const seed = Seed.make(n)
          const parameters = randomParameters(seed)
          const tokens = randomTokens(seed, rows, variant, length)
          const made = await forward(engine, parameters, tokens, variant)
          const plain = plainBert(config, parameters, tokens, variant.causal)
          close(made.embedding, plain.embedding.flat(), 1e-5, "embedding")
          plain.hidden.forEach((rows, i) => close(made.hidden[i], rows.flat(), 1e-4, `hidden.${i}`))
          plain.values.forEach((rows, i) => close(made.values[i], rows.flat(3), 1e-4, `values.${i}`))
          plain.scores.forEach((rows, i) => close(made.scores[i], rows.flat(3), 1e-4, `scores.${i}`))
          const positions = Array.from(everywhere(tokens).data)
          close(
            made.logits,
            plainLogits(config, parameters, plain.hidden.at(-1) ?? [], positions).flat(),
            2e-4,
            "logits"
          )
        }
      ),
      { numRuns: 3 }
    )
  )
})

describe.each(Object.keys(engines) as ReadonlyArray<keyof typeof engines>)("another kind of BERT (%s)", (engine) => {
  const kinds = Activation.activations.map((activation, i) => ({
    activation,
    ...(i % 2 === 0 ? { decoder: "untied" as const } : {})
  }))
  it.each(kinds)("is the plain loops', too: %j", (kind) =>
    fc.assert(
      fc.asyncProperty(fc.nat(), async (n) => {
        const [seed, of] = [Seed.make(n), { ...config, ...kind }]
        const [parameters, tokens] = [randomParameters(seed, of), randomTokens(seed, 2, { padding: true })]
        const made = await forward(engine, parameters, tokens, { of })
        const { hidden } = plainBert(of, parameters, tokens)
        const positions = Array.from(everywhere(tokens).data)
        close(made.logits, plainLogits(of, parameters, hidden.at(-1) ?? [], positions).flat(), 2e-4, "logits")
      }),
      { numRuns: 2 }
    )
  )
})

describe("a BERT without a head", () => {
  it("gives its taps, and is a defect to ask for logits", async () => {
    const [seed, of] = [Seed.make(1), { ...config, head: "none" as const }]
    const parameters = randomParameters(seed, of)
    const tokens = randomTokens(seed, 1)
    const failure = await forward("cpu", parameters, tokens, { of }).catch((e: unknown) => e)
    assert.match(String(failure), /no masked-language-model head/)
    const shape = [6, config.hidden]
    const last = await evaluate(
      (ids, ...tensors) => {
        const names = Object.keys(parameters)
        const named = Object.fromEntries(tensors.map((tensor, i) => [names[i] ?? "", tensor]))
        const outputs = Bert.encode(named, of, { rows: 1, length: 6, ids: ids ?? assert.fail() })
        const both = Bert.withLogits(named, of, outputs, ids ?? assert.fail())
        assert.throws(() => both.logits, /no masked-language-model head/)
        return Bert.last(both)
      },
      Tensor.of(tokens.ids),
      ...Object.values(parameters)
    )
    assert.deepStrictEqual(last.shape, shape)
    close(last, plainBert(of, parameters, tokens).hidden.at(-1)?.flat() ?? [], 1e-4, "hidden")
  })
})

describe("the forward pass", () => {
  it("does not let padding change what real tokens give", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), async (n) => {
        const seed = Seed.make(n)
        const parameters = randomParameters(seed)
        const tokens = randomTokens(seed, 3, { padding: true, types: true })
        const other = randomTokens(Seed.child(seed, "other"), 3, { types: true })
        const padded = (t: number) => tokens.attention?.[t] === 0
        const filled = {
          ...tokens,
          ids: tokens.ids.map((id, t) => (padded(t) ? (other.ids[t] ?? 0) : id)),
          types: tokens.types?.map((type, t) => (padded(t) ? (other.types?.[t] ?? 0) : type))
        }
        const [a, b] = [await forward("onnx", parameters, tokens), await forward("onnx", parameters, filled)]
        const width = config.vocabSize
        a.logits.data.forEach((v, i) => {
          if (!padded(Math.floor(i / width))) assert.strictEqual(b.logits.data[i], v)
        })
      }),
      { numRuns: 5 }
    ))

  it("does not care for the order of the sequences", async () => {
    const seed = Seed.make("order")
    const parameters = randomParameters(seed)
    const tokens = randomTokens(seed, 4, { padding: true })
    const order = [2, 0, 3, 1]
    const rows = (values: ArrayLike<number>, width: number) =>
      order.flatMap((row) => Array.from(values).slice(row * width, (row + 1) * width))
    const moved = {
      ...tokens,
      ids: Int32Array.from(rows(tokens.ids, 6)),
      attention: Float32Array.from(rows(tokens.attention ?? [], 6))
    }
    const [a, b] = [await forward("onnx", parameters, tokens), await forward("onnx", parameters, moved)]
    close(b.logits, rows(a.logits.data, 6 * config.vocabSize), 1e-5, "logits")
  })

  it("lets a causal position see nothing that follows it", async () => {
    const seed = Seed.make("causal")
    const parameters = randomParameters(seed)
    const tokens = randomTokens(seed, 2)
    const later = { ...tokens, ids: tokens.ids.map((id, t) => (t % 6 >= 3 ? (id + 7) % config.vocabSize : id)) }
    const [a, b] = [tokens, later].map((batch) => forward("onnx", parameters, batch, { causal: true }))
    const [x, y] = [(await a)?.logits.data ?? [], (await b)?.logits.data ?? []]
    const early = (i: number) => Math.floor(i / config.vocabSize) % 6 < 3
    x.forEach((v, i) => early(i) && assert.strictEqual(y[i], v))
    assert.isTrue(x.some((v, i) => !early(i) && v !== y[i]))
  })

  it("normalises over the kept hidden units only, where some are masked", async () => {
    const seed = Seed.make("kept")
    const kept = [1, 1, 0, 1, 1, 0, 1, 1]
    const units = kept.flatMap((keep, i) => (keep === 1 ? [i] : []))
    const cut = { ...config, hidden: units.length }
    const full = randomParameters(seed)
    const tokens = randomTokens(seed, 2)
    // the masked model has zeros where the cut one has nothing
    const specs = Parameters.bert(config)
    const masked = Object.fromEntries(
      specs.map(({ name, axes }) => {
        const tensor = full[name] ?? assert.fail(name)
        const along = axes.map((id) => id === "hidden")
        const width = tensor.shape.at(-1) ?? 1
        const zero = (i: number) =>
          (along.at(-1) === true && kept[i % width] === 0) ||
          (along.length === 2 && along[0] === true && kept[Math.floor(i / width)] === 0)
        const data = tensor.data.map((v, i) => (zero(i) ? 0 : v))
        return [name, { value: { ...tensor, data }, small: Array.from(tensor.data).filter((_, i) => !zero(i)) }]
      })
    )
    const shapes = Parameters.signature(specs, Config.axes(cut))
    const small = Object.fromEntries(
      Object.entries(masked).map(([name, { small }]) => [name, Tensor.host(small, shapes[name]?.shape)])
    )
    const wide = Object.fromEntries(Object.entries(masked).map(([name, { value }]) => [name, value]))
    const a = await forward("onnx", wide, tokens, { keptHidden: Tensor.host(kept) })
    const b = await forward("onnx", small, tokens, { of: cut })
    close(a.logits, b.logits.data, 1e-5, "logits")
    close(a.scores["1"], b.scores["1"]?.data ?? [], 1e-5, "scores")
  })

  it("cannot be compiled for more positions than there are, and says where", async () => {
    const seed = Seed.make("long")
    const error = await forward("onnx", randomParameters(seed), randomTokens(seed, 1, {}, 7)).catch((e: unknown) => e)
    assert.match(String(error), /cannot compile forward: .*\(kernel .*Bert\.ts:\d+/)
  })

  it("names a parameter that is missing", () =>
    assert.throws(() => Bert.parameter({}, "bert.embeddings.word_embeddings.weight"), /no parameter bert\.embeddings/))
})
