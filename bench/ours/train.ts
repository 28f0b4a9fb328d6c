import * as Effect from "effect/Effect"
import { Backend, ops, Tensor, tf, transfer } from "homodistil/backend"
import { Bert, BertConfig, Parameters, Tokens } from "homodistil/model"
import { adamW, TrainStep } from "homodistil/optimizer"
import * as Job from "../Job.ts"
import { type Given, stepping } from "./Serve.ts"

/** Case a: a masked-language-model step. */
export const train = ({ job, folder }: Given) =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const batchOf = Job.batchesOf(folder, job)
    const first = batchOf(0)
    const optimizer = adamW()
    const { config, parameters } = Job.model(folder, job, "student")
    const step = yield* TrainStep.compile({
      name: "masked-language-model step",
      params: Parameters.signature(Parameters.bert(config), BertConfig.axes(config)),
      inputs: { tokens: Tokens.signature(first), positions: Tensor.int(job.masked), labels: Tensor.int(job.masked) },
      optimizer,
      loss: (params, x) => {
        const outputs = Bert.encode(params, config, Tokens.tensors(first, x.tokens))
        const logits = Bert.maskedLmLogits(params, config, Bert.last(outputs), x.positions)
        return { total: tf.mean(ops.crossEntropy(logits, x.labels)), terms: {} }
      }
    })
    let live = yield* step.enter(TrainStep.start(parameters, optimizer))
    return stepping((done) =>
      Effect.gen(function* () {
        const batch = batchOf(done)
        const inputs = yield* transfer.upload(backend, {
          tokens: Tokens.inputs(batch),
          positions: Tensor.of(batch.positions),
          labels: Tensor.of(batch.labels)
        })
        const learningRate = job.learningRates.at(-1) ?? 0
        const { state, total } = yield* step.run(live, inputs, { step: done, learningRate })
        live = state
        yield* transfer.release(backend, inputs)
        return total
      })
    )
  })
