import * as Effect from "effect/Effect"
import { Backend, type HostTensor, OnnxBackend, Tensor, TfjsBackend, transfer } from "../../src/backend/index.ts"
import type { HuggingFaceWeights } from "../../src/checkpoint/index.ts"
import { Bert, BertConfig, Head, Parameters, Tokens } from "../../src/model/index.ts"

/** The compiled backend and the eager one. */
export const engines = { onnx: OnnxBackend.layer({ threads: 1 }), cpu: TfjsBackend.layer("cpu") }

/** What a forward pass gives: the hidden states, the embedding output first, and, where there is a head, the logits at every position. */
export interface Encoded {
  /** `hidden.0` is the embedding output, `hidden.1` what the first layer makes of it, and so on. */
  readonly states: { readonly [name: string]: HostTensor }
  /** The last of them. */
  readonly hidden: HostTensor | undefined
  readonly logits: { readonly [key: string]: HostTensor }
}

/** A forward pass of a checkpoint. */
export const encoded = (
  engine: keyof typeof engines,
  { config, parameters }: HuggingFaceWeights.Weights,
  tokens: Tokens.Tokens
): Promise<Encoded> =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const signature = {
      parameters: Parameters.signature(Parameters.bert(config), BertConfig.axes(config)),
      tokens: Tokens.signature(tokens),
      positions: Tensor.int(tokens.ids.length)
    }
    const compiled = yield* backend.compile("forward", signature, (x) => {
      const outputs = Bert.encode(x.parameters, config, Tokens.tensors(tokens, x.tokens))
      const states = [outputs.embedding, ...outputs.hidden].map((state, n) => [`hidden.${n}`, state] as const)
      const logits = () => ({ all: Bert.maskedLmLogits(x.parameters, config, Bert.last(outputs), x.positions) })
      return { states: Object.fromEntries(states), logits: Head.present(config) ? logits() : {} }
    })
    const positions = Tensor.of(Int32Array.from(tokens.ids, (_, i) => i))
    const given = yield* transfer.upload(backend, { parameters, tokens: Tokens.inputs(tokens), positions })
    const made = yield* transfer.download(backend, yield* compiled.run(given))
    return { ...made, hidden: made.states[`hidden.${config.layers}`] }
  }).pipe(Effect.scoped, Effect.provide(engines[engine]), Effect.runPromise)

/** The largest difference between the numbers of two tensors; NaN where one has none or they are of another shape. */
export const gap = (a: HostTensor | undefined, b: HostTensor | undefined): number =>
  a === undefined || b === undefined || a.data.length !== b.data.length
    ? Number.NaN
    : Math.max(...Array.from(a.data, (x, i) => Math.abs(x - (b.data[i] ?? Number.NaN))))
