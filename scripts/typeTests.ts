import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

// Type tests: the files of test/types/ are compiled with the project's own compiler. A line that ends in
// `// error: <words>` must be refused with these words in the message; every other line must be accepted.

interface Line {
  readonly file: string
  readonly line: number
  readonly text: string
}

const root = fileURLToPath(new URL("..", import.meta.url))
const folder = join(root, "test", "types")
const at = ({ file, line }: Line): string => `test/types/${file}:${line}`
const same = (a: Line) => (b: Line) => a.file === b.file && a.line === b.line

const files = readdirSync(folder).filter((file) => file.endsWith(".ts"))
const expected = files.flatMap((file) =>
  readFileSync(join(folder, file), "utf8")
    .split("\n")
    .flatMap((line, i): ReadonlyArray<Line> => {
      const words = /\/\/ error: (.+)$/.exec(line)?.[1]
      return words === undefined ? [] : [{ file, line: i + 1, text: words }]
    })
)

const compiler = join(root, "node_modules", "typescript", "bin", "tsc")
const run = spawnSync(process.execPath, [compiler, "-p", folder, "--pretty", "false"], {
  cwd: folder,
  encoding: "utf8"
})
const found = [...run.stdout.matchAll(/^(\S+?)\((\d+),\d+\): error (.*(?:\n .*)*)/gm)].map(
  ([, file = "", line = "", text = ""]): Line => ({ file, line: Number(line), text })
)

const problems = [
  ...(run.error === undefined ? [] : [`tsc did not run: ${run.error.message}`]),
  ...(expected.length === 0
    ? ["test/types/: no line is marked // error: <words>; a suite that cannot fail is no suite"]
    : []),
  ...expected.flatMap((mark) => {
    const messages = found.filter(same(mark)).map((each) => each.text)
    if (messages.some((message) => message.includes(mark.text))) return []
    return [
      `${at(mark)}: must be refused with "${mark.text}"; ${messages.length === 0 ? "it compiles" : messages.join("; ")}`
    ]
  }),
  // what is wrong outside this folder is for the types check to say
  ...found
    .filter((error) => !error.file.startsWith("..") && !expected.some(same(error)))
    .map((error) => `${at(error)}: must compile; ${error.text}`)
]

for (const problem of problems) console.error(problem)
console.log(`${files.length} files, ${expected.length} refusals expected, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
