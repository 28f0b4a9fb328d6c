import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Schema } from "effect"
import type { Count } from "./failures.ts"

// Everything a change must pass, in the order in which failures are cheapest to find; `npm test -- lint types` runs some,
// `npm test -- slow glue` the suites that are not in `npm test`.
// Each step counts as one, except the tests, which count one by one. What failed is said again at the end, where one looks
// first and where a log that was cut still has it. The last line is "N passed, N failed".

interface Step {
  readonly name: string
  readonly title: string
  readonly run: () => Count
}

const root = fileURLToPath(new URL("..", import.meta.url))
const path = [join(root, "node_modules", ".bin"), process.env["PATH"]].join(delimiter)
const scratch = mkdtempSync(join(tmpdir(), "homodistil-check-"))

const succeeds = (command: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}): boolean => {
  const { error, status } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env, PATH: path }
  })
  if (error !== undefined) console.error(`${command} did not run: ${error.message}; run npm ci first`)
  return status === 0
}

const check = (name: string, title: string, command: string, ...args: ReadonlyArray<string>): Step => ({
  name,
  title,
  run: () =>
    succeeds(command, args)
      ? { passed: 1, failed: 0, failures: [] }
      : { passed: 0, failed: 1, failures: [`${[command, ...args].join(" ")} failed`] }
})

const tests = (name: string, title: string, ...args: ReadonlyArray<string>): Step => ({
  name,
  title,
  run: () => {
    const report = join(scratch, `${name}.json`)
    const reporters = ["--reporter=default", "--reporter=./scripts/failures.ts"]
    const succeeded = succeeds("vitest", ["run", ...reporters, ...args], { HOMODISTIL_FAILURES: report })
    const count = existsSync(report)
      ? Schema.decodeUnknownSync(Schema.fromJsonString(Counted))(readFileSync(report, "utf8"))
      : { passed: 0, failed: 1, failures: ["vitest left no report"] }
    // a run without a test, or one that ends badly, fails although no test of it did
    return succeeded || count.failed > 0 ? count : { ...count, failed: 1, failures: ["vitest failed without a test"] }
  }
})

/** What `failures.ts` writes. */
const Counted = Schema.Struct({
  passed: Schema.Number,
  failed: Schema.Number,
  failures: Schema.Array(Schema.String)
})

const steps: ReadonlyArray<Step> = [
  check("format", "Format (oxfmt)", "oxfmt", "--check", "."),
  check("lint", "Lint, with types (oxlint)", "oxlint", "--deny-warnings"),
  check(
    "effect",
    "Effect diagnostics (@effect/tsgo)",
    "effect-tsgo",
    "diagnostics",
    "--project",
    "tsconfig.json",
    "--strict"
  ),
  check("types", "Types (tsc)", "tsc", "-p", "."),
  check("type-tests", "Type tests", process.execPath, "scripts/typeTests.ts"),
  tests("house", "House rules", "--project=house"),
  tests("unit", "Unit and property tests", "--project=backend", "--project=rooms"),
  tests("examples", "Examples in docstrings", "--project=examples")
]

/** Run only where they are asked for: minutes each. */
const suites: ReadonlyArray<Step> = [
  tests("slow", "Slow tests", "--config=vitest.slow.config.ts"),
  tests("glue", "GLUE's own files, where they are", "--config=vitest.glue.config.ts")
]

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => ![...steps, ...suites].some((step) => step.name === name))
if (unknown.length > 0) {
  console.error(
    `step = ${unknown.join(", ")}: must be one of ${[...steps, ...suites].map((step) => step.name).join(", ")}; npm test runs all but the last ${suites.length}`
  )
  process.exit(2)
}

const counts = (asked.length === 0 ? steps : [...steps, ...suites].filter((step) => asked.includes(step.name))).map(
  (step) => {
    console.log(`\n── ${step.title} ${"─".repeat(Math.max(0, 70 - step.title.length))}`)
    const count = step.run()
    return { ...count, title: step.title }
  }
)
rmSync(scratch, { recursive: true, force: true })

const sum = (key: "passed" | "failed"): number => counts.reduce((total, count) => total + count[key], 0)
console.log()
for (const { title, passed, failed } of counts)
  console.log(`${failed === 0 ? "ok  " : "FAIL"}  ${title}: ${passed} passed, ${failed} failed`)
for (const failure of counts.flatMap(({ failures }) => failures)) console.log(`FAILED ${failure}`)
console.log(`${sum("passed")} passed, ${sum("failed")} failed`)
process.exitCode = sum("failed") === 0 ? 0 : 1
