import { existsSync, readFileSync } from "node:fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import { HuggingFace } from "homodistil/checkpoint"

// reads the directory it is told and says how much the memory of its process grew meanwhile, at most, in bytes, how large the weights are,
// and the error where there was one

/** The most this process ever held. Linux counts what held its parent, too, in the usage of resources, but not in the status. */
const peakBytes = (): number => {
  const status = existsSync("/proc/self/status") ? readFileSync("/proc/self/status", "utf8") : ""
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(status) ?? []
  return 1024 * (kilobytes === undefined ? process.resourceUsage().maxRSS : Number(kilobytes))
}

const directory = process.argv[2] ?? ""
const read = (folder: string) =>
  Effect.runPromise(
    HuggingFace.read(folder).pipe(
      Effect.match({
        onSuccess: ({ parameters }) => ({ parameters, error: "" }),
        onFailure: ({ _tag: error }) => ({ parameters: {}, error })
      }),
      Effect.provide(NodeServices.layer)
    )
  )
const warm = process.argv[3]
if (warm !== undefined) await read(warm)
const before = process.memoryUsage.rss()
const { parameters, error } = await read(directory)
const peak = peakBytes()
const float32 = Object.values(parameters).reduce((bytes, { data }) => bytes + data.byteLength, 0)
process.stdout.write(JSON.stringify({ growth: peak - before, float32, error }))
