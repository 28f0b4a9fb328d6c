import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

// Everything a change must pass, in the order in which failures are cheapest to find; `npm test -- lint types` runs some.
// Each step counts as one, except the tests, which count one by one. The last line is "N passed, N failed".

interface Count {
  readonly passed: number
  readonly failed: number
}

interface Step {
  readonly name: string
  readonly title: string
  readonly run: () => Count
}

const root = fileURLToPath(new URL("..", import.meta.url))
const path = [join(root, "node_modules", ".bin"), process.env["PATH"]].join(delimiter)
const scratch = mkdtempSync(join(tmpdir(), "homodistil-check-"))

const succeeds = (command: string, args: ReadonlyArray<string>): boolean => {
  const { error, status } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: path }
  })
  if (error !== undefined) console.error(`${command} did not run: ${error.message}; run npm ci first`)
  return status === 0
}

const check = (name: string, title: string, command: string, ...args: ReadonlyArray<string>): Step => ({
  name,
  title,
  run: () => (succeeds(command, args) ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 })
})

const tests = (name: string, title: string, ...args: ReadonlyArray<string>): Step => ({
  name,
  title,
  run: () => {
    const report = join(scratch, `${name}.json`)
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`]
    const succeeded = succeeds("vitest", ["run", ...reporters, ...args])
    const { passed, failed } = countOf(report)
    // a file that does not load, or a run without a test, fails although no test of it did
    return { passed, failed: succeeded ? failed : Math.max(1, failed) }
  }
})

const countOf = (report: string): Count => {
  try {
    const text: unknown = JSON.parse(readFileSync(report, "utf8"))
    const field = (key: string): number => {
      const value: unknown = typeof text === "object" && text !== null ? Reflect.get(text, key) : undefined
      return typeof value === "number" ? value : 0
    }
    return { passed: field("numPassedTests"), failed: field("numFailedTests") }
  } catch {
    return { passed: 0, failed: 1 }
  }
}

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
  tests("house", "House rules", "test/house.test.ts"),
  tests("unit", "Unit and property tests", "--exclude=test/house.test.ts", "--exclude=test/docExamples.test.ts"),
  tests("examples", "Examples in docstrings", "test/docExamples.test.ts")
]

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !steps.some((step) => step.name === name))
if (unknown.length > 0) {
  console.error(
    `step = ${unknown.join(", ")}: must be one of ${steps.map((step) => step.name).join(", ")}; npm test runs all`
  )
  process.exit(2)
}

const counts = steps
  .filter((step) => asked.length === 0 || asked.includes(step.name))
  .map((step) => {
    console.log(`\n── ${step.title} ${"─".repeat(Math.max(0, 70 - step.title.length))}`)
    const count = step.run()
    return { ...count, title: step.title }
  })
rmSync(scratch, { recursive: true, force: true })

const sum = (key: keyof Count): number => counts.reduce((total, count) => total + count[key], 0)
console.log()
for (const { title, passed, failed } of counts)
  console.log(`${failed === 0 ? "ok  " : "FAIL"}  ${title}: ${passed} passed, ${failed} failed`)
console.log(`${sum("passed")} passed, ${sum("failed")} failed`)
process.exitCode = sum("failed") === 0 ? 0 : 1
