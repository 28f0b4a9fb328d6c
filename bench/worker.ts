import process from "node:process"
import { createInterface } from "node:readline"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { OnnxBackend } from "homodistil/backend"
import * as Job from "./Job.ts"
import { memory } from "./Machine.ts"
import { distil, run } from "./ours/distil.ts"
import { infer, product } from "./ours/infer.ts"
import { train } from "./ours/train.ts"

// Our side of the benchmark: node bench/worker.ts FOLDER, then a request a line on stdin, a reply a line on stdout.

const kinds = { train, distil, run, infer, product: () => product }
const readRequest = Schema.decodeSync(Schema.fromJsonString(Schema.Struct({ what: Schema.String, steps: Schema.Int })))

const main = (folder: string) => {
  const job = Job.read(folder)
  return Effect.gen(function* () {
    const serve = yield* kinds[job.kind]({ job, folder })
    const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
    for (;;) {
      const line = yield* Effect.promise(() => lines.next())
      if (line.done === true) return
      const answer = yield* serve(readRequest(line.value))
      process.stdout.write(`${JSON.stringify({ ...answer, ...memory() })}\n`)
    }
  }).pipe(Effect.scoped, Effect.provide(OnnxBackend.layer({ threads: job.threads })))
}

await Effect.runPromise(main(process.argv[2] ?? ""))
