import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { inference } from "./cases/inference.ts"
import { peak } from "./cases/peak.ts"
import { ablation, wholeRuns } from "./cases/runs.ts"
import { distillation, maskedLm } from "./cases/steps.ts"
import { check } from "./check.ts"
import type { Context } from "./Context.ts"
import * as Machine from "./Machine.ts"
import * as Options from "./Options.ts"
import { profile } from "./ours/profile.ts"
import * as Report from "./Report.ts"
import * as Side from "./Side.ts"

// npm run bench: homodistil against PyTorch. What it does and how it is read: README.md here.

const runners: { readonly [letter: string]: (context: Context) => Promise<Report.Section> } = {
  a: maskedLm,
  b: distillation,
  c: wholeRuns,
  d: inference,
  e: ablation
}

const heading = (machine: Machine.Machine, torch: string | undefined, threads: number): string => {
  const busy = Machine.busy()
  return [
    `# homodistil against ${torch === undefined ? "nothing (no PyTorch)" : `PyTorch ${torch}`}, ${new Date().toISOString().slice(0, 10)}`,
    "",
    `${machine.cpu}, ${machine.cores} cores, ${machine.features}, ${machine.memory}; Node ${machine.node}; ${threads} threads; fp32.`,
    "",
    ...(busy === undefined ? [] : [`Beware: ${busy}.`, ""])
  ].join("\n")
}

const bench = async (context: Omit<Context, "peak">): Promise<void> => {
  const { options, machine, torch } = context
  const head = heading(machine, torch, options.threads)
  console.log(head)
  const sections: Array<Report.Section> = []
  const show = (section: Report.Section): void => {
    sections.push(section)
    console.log(Report.markdown(section))
    // after each case, so that a run that is stopped leaves what it has
    if (options.out === undefined) return
    writeFileSync(`${options.out}.md`, [head, ...sections.map(Report.markdown)].join("\n"))
    const numbers = { machine: { ...machine }, torch, options: { ...options }, sections: sections.map(Report.json) }
    writeFileSync(`${options.out}.json`, `${JSON.stringify(numbers, undefined, 1)}\n`)
  }
  const { best, section } = await peak(context)
  show(section)
  for (const letter of options.cases) {
    const runner = runners[letter]
    if (runner !== undefined) show(await runner({ ...context, peak: best }))
  }
}

const main = async (args: ReadonlyArray<string>): Promise<number> => {
  const parsed = Options.parse(args)
  if ("help" in parsed) {
    console.log(parsed.help)
    return 0
  }
  if ("problems" in parsed) {
    console.error(
      `${parsed.problems.map((line) => `bench: ${line}`).join("\n")}\nnpm run bench -- --help says what there is`
    )
    return 2
  }
  const { options } = parsed
  process.chdir(fileURLToPath(new URL("..", import.meta.url)))
  const scratch = mkdtempSync(join(tmpdir(), "homodistil-bench-"))
  const say = (line: string): void => console.error(line)
  // both sides are groups of their own, so a signal reaches only this process, whose end is theirs
  process.once("exit", () => rmSync(scratch, { recursive: true, force: true }))
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))
  try {
    if (options.profile !== undefined) {
      for (const section of await profile(scratch, options.profile, options)) console.log(Report.markdown(section))
      return 0
    }
    const { version, problem } = await Side.ready()
    if (version === undefined)
      console.error(`bench: PYTHON = ${Side.python()}: ${problem}; ours is timed alone, name a Python that has PyTorch`)
    const context = { options, machine: Machine.here(), torch: version, scratch, say }
    if (!options.check) await bench(context)
    else return await check({ ...context, peak: Number.NaN })
    return 0
  } catch (error) {
    if (!(error instanceof Side.SideError)) throw error
    console.error(`bench: ${error.message}`)
    return 1
  }
}

process.exitCode = await main(process.argv.slice(2))
