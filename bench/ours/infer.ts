import * as Effect from "effect/Effect"
import { Backend, Tensor, tf, transfer } from "homodistil/backend"
import { Bert, Tokens } from "homodistil/model"
import * as Job from "../Job.ts"
import { type Given, type Serve, stepping } from "./Serve.ts"

/** Case d: the forward pass of each model, its weights in the text so that the runtime packs them once. */
export const infer = ({ job, folder }: Given) =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const batchOf = Job.batchesOf(folder, job)
    const first = batchOf(0)
    const compile = (name: string) =>
      Effect.gen(function* () {
        const { config, parameters } = Job.model(folder, job, name)
        const compiled = yield* backend.compile(
          `${name} forward`,
          { tokens: Tokens.signature(first), positions: Tensor.int(job.masked) },
          (x) => {
            const weights = Object.fromEntries(
              Object.entries(parameters).map(([key, { data, shape }]) => [key, tf.tensor(data, [...shape])])
            )
            const outputs = Bert.encode(weights, config, Tokens.tensors(first, x.tokens))
            return Bert.maskedLmLogits(weights, config, Bert.last(outputs), x.positions)
          }
        )
        return stepping((done) =>
          Effect.gen(function* () {
            const batch = batchOf(done)
            const inputs = yield* transfer.upload(backend, {
              tokens: Tokens.inputs(batch),
              positions: Tensor.of(batch.positions)
            })
            const logits = yield* compiled.run(inputs)
            yield* transfer.release(backend, [inputs, logits])
            return 0
          })
        )
      })
    const models = new Map<string, Serve<unknown>>()
    for (const name of Object.keys(job.models)) models.set(name, yield* compile(name))
    return (request: Job.Request) => {
      const serve = models.get(request.what)
      if (serve === undefined) throw new RangeError(`the job has no model ${request.what}`)
      return serve(request)
    }
  })

const matrix = (rows: number, columns: number) =>
  Tensor.host(
    Float32Array.from({ length: rows * columns }, (_, i) => ((i * 2654435761) % 1000) / 1000),
    [rows, columns]
  )

/** The machine's peak: a product of two matrices, as the backend compiles it; a request names it as m×k×n. */
export const product = Effect.gen(function* () {
  const backend = yield* Backend
  return ({ what, steps }: Job.Request) =>
    Effect.scoped(
      Effect.gen(function* () {
        const [m = 0, k = 0, n = 0] = what.split("x").map(Number)
        const compiled = yield* backend.compile("product", { a: Tensor.float(m, k), b: Tensor.float(k, n) }, (x) =>
          tf.matMul<tf.Tensor2D>(tf.reshape(x.a, [m, k]), tf.reshape(x.b, [k, n]))
        )
        const inputs = yield* transfer.upload(backend, { a: matrix(m, k), b: matrix(k, n) })
        const answer = yield* stepping(() =>
          Effect.flatMap(compiled.run(inputs), (made) => Effect.as(transfer.release(backend, made), 0))
        )({ what, steps })
        yield* transfer.release(backend, inputs)
        return answer
      })
    )
})
