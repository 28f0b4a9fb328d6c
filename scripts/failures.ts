import { writeFileSync } from "node:fs"
import type { Reporter, SerializedError, TestModule } from "vitest/node"

// A reporter of Vitest that writes what `check.ts` says at the end: how many tests passed and failed, and the head of what each failure said.

/** What the reporter writes to the file that `HOMODISTIL_FAILURES` names. */
export interface Count {
  readonly passed: number
  readonly failed: number
  readonly failures: ReadonlyArray<string>
}

/** Lines of a failure that are said again: a property's seed and counterexample are the first of its message. */
const LINES = 12

const head = (name: string, errors: ReadonlyArray<SerializedError>): string =>
  [
    name,
    ...errors.flatMap(({ message, ...error }) => {
      const diff = "diff" in error && typeof error.diff === "string" ? error.diff.split("\n") : []
      return [...message.split("\n").slice(0, LINES), ...diff.slice(0, LINES)]
    })
  ].join("\n    ")

const countOf = (modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<SerializedError>): Count => {
  const tests = modules.flatMap((module) => [...module.children.allTests()])
  const failed = tests.filter((test) => test.result().state === "failed")
  const failures = [
    ...failed.map((test) => head(`${test.module.relativeModuleId}: ${test.fullName}`, test.result().errors ?? [])),
    ...modules.flatMap((module) =>
      module.errors().length > 0 ? [head(module.relativeModuleId, module.errors())] : []
    ),
    ...unhandled.map((error) => head("outside of a test", [error]))
  ]
  // a file that does not load fails although no test of it did
  return {
    passed: tests.filter((test) => test.result().state === "passed").length,
    failed: failures.length,
    failures
  }
}

export default function failures(): Reporter {
  return {
    onTestRunEnd: (modules, unhandled) => {
      const file = process.env["HOMODISTIL_FAILURES"]
      if (file !== undefined) writeFileSync(file, JSON.stringify(countOf(modules, unhandled)))
    }
  }
}
