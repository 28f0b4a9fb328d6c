import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import { defaults, traceRun, type TraceSettings } from "../../src/cli/traceRun.ts"

// Records traces and has PyTorch repeat them: `npm run parity`, or `npm run parity -- quick` for the small cases alone.

const root = fileURLToPath(new URL("../..", import.meta.url))
const python = process.env["PYTHON"] ?? "python3"
const checker = join(root, "test", "parity", "check.py")
const quick = process.argv.includes("quick")

type Case = Partial<TraceSettings> & { readonly name: string }

const small = { teacher: "random", rows: 4, length: 32 } as const
const teacher = existsSync(join(root, "assets", "teacher", "config.json")) ? "assets/teacher" : "random"

/** The scorers with the teacher there is; then what that leaves out, with a small one. */
const cases: ReadonlyArray<Case> = [
  ...(quick
    ? []
    : ([
        { name: "platon", teacher, scorer: "platon" },
        { name: "sensitivity", teacher, scorer: "sensitivity" },
        { name: "magnitude", teacher, scorer: "magnitude" },
        { name: "raw-attention", teacher, attention: "raw" },
        { name: "repeated", teacher, text: "repeated" },
        { name: "masked", teacher, mode: "masked" }
      ] satisfies ReadonlyArray<Case>)),
  { name: "small-padded", ...small, text: "padded", scorer: "sensitivity" },
  { name: "small-repeated", ...small, text: "repeated" },
  { name: "small-raw", ...small, attention: "raw", text: "padded" },
  { name: "small-hard", ...small, pruneEvery: 10 },
  { name: "small-masked", ...small, pruneEvery: 10, mode: "masked" }
]

const check = (...args: ReadonlyArray<string>): number => {
  const { error, status } = spawnSync(python, [checker, ...args], { stdio: "inherit" })
  if (error !== undefined) console.error(`cannot run ${python}: ${error.message}; name a Python with PYTHON=…`)
  return status ?? 1
}

const record = ({ name: _, ...settings }: Case, out: string): Promise<void> =>
  Effect.runPromise(traceRun({ ...defaults, ...settings, out }).pipe(Effect.provide(NodeServices.layer)))

process.chdir(root)
// a missing PyTorch is said at once, not after the traces
process.exitCode = check("--ready")
const folder = mkdtempSync(join(tmpdir(), "homodistil-parity-"))
try {
  if (process.exitCode === 0) {
    const traces: Array<string> = []
    for (const one of cases) {
      const out = join(folder, one.name)
      await record(one, out)
      console.log(`recorded ${one.name}`)
      traces.push(out)
    }
    const pairs = quick ? ["small"] : ["", "small"]
    const masked = pairs.flatMap((p) =>
      p === "" ? ["--same", join(folder, "platon"), join(folder, "masked")] : ["--same", join(folder, "small-hard"), join(folder, "small-masked")]
    )
    process.exitCode = check(...traces, ...masked)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
