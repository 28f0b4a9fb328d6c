import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Backend, type Compiled, ops, OnnxBackend, Tensor, tf, Tree } from "homodistil/backend"
import { Bert, BertConfig, Parameters, Tokens } from "homodistil/model"
import { adamW, TrainStep } from "homodistil/optimizer"
import { record } from "../../src/backend/onnx/TracingBackend.ts"
import { golden } from "../golden/golden.ts"

const of = BertConfig.uniform({ vocabSize: 64, positions: 8, layers: 2, heads: 2, hidden: 16, ffn: 32 })
const tokens = { rows: 4, length: 8, ids: new Int32Array(32), attention: new Float32Array(32) }
const inputs = { tokens: Tokens.signature(tokens), positions: Tensor.int(6), labels: Tensor.int(6) }

/** A backend that records what it is to compile, and counts the operators that would be run. */
const counting = (counted: Map<string, number>): Effect.Effect<Backend["Service"], never, Backend> =>
  Effect.map(Backend, (backend) =>
    Backend.of({
      ...backend,
      compile: <I, O>(name: string, signature: I, text: (x: never) => O) =>
        Effect.sync((): Compiled<I, O> => {
          const specs = Tree.entries(signature, Tree.isSpec).map(([path, spec]) => ({ path, spec }))
          const { graph, inputs, outputs } = record(
            specs,
            (tensors) => text(Tree.map(signature, Tree.isSpec, (_, path) => tensors.get(path)) as never),
            (result) => Tree.entries(result, Tree.isTensor)
          )
          const nodes = graph.simplified(inputs, outputs)
          for (const [op, count] of graph.census(nodes)) counted.set(op, count)
          return { name, nodes: nodes.length, run: () => Effect.die("it only counts") }
        })
    })
  )

it("a masked-LM step of a BERT of two layers is made of these operators", async () => {
  const counted = new Map<string, number>()
  const step = TrainStep.compile({
    name: "masked LM",
    params: Parameters.signature(Parameters.bert(of), BertConfig.axes(of)),
    inputs,
    loss: (params, x) => {
      const outputs = Bert.encode(params, of, Tokens.tensors(tokens, x.tokens))
      const logits = Bert.maskedLmLogits(params, of, Bert.last(outputs), x.positions)
      return { total: tf.mean(ops.crossEntropy(logits, x.labels)), terms: {} }
    },
    optimizer: adamW()
  })
  const { nodes } = await Effect.runPromise(
    Effect.gen(function* () {
      return yield* Effect.provideService(step, Backend, yield* counting(counted))
    }).pipe(Effect.scoped, Effect.provide(OnnxBackend.layer()))
  )
  const lines = [...counted].map(([op, count]) => `${String(count).padStart(5)} ${op}`)
  assert.strictEqual(
    [...counted.values()].reduce((a, b) => a + b, 0),
    nodes
  )
  golden("bertStep.txt", [...lines, `${String(nodes).padStart(5)} in all`, ""].join("\n"))
})
