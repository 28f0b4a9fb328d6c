/** An example of a docstring: where it stands, what it explains, and the module it becomes. */
export interface Example {
  readonly source: string
  readonly symbol: string
  readonly line: number
  readonly text: string
  readonly module: string
}

const docstring =
  /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:export\s+)?(?:(?:declare|abstract|async|readonly|static)\s+)*(?:(?:const|function\*?|class|interface|type)\s+)?(\w+)/g
const fence = /^[ \t]*\* ```ts\n([\s\S]*?)^[ \t]*\* ```$/gm

/** The examples in the docstrings of one source file. */
export const examplesOf = (source: string, text: string): ReadonlyArray<Example> =>
  [...text.matchAll(docstring)].flatMap((comment) => {
    const body = comment[1] ?? ""
    const at = body.indexOf("@example")
    if (at < 0) return []
    const start = comment.index + "/**".length
    const symbol = comment[2] ?? ""
    const fences = [...body.matchAll(fence)].filter((match) => match.index > at)
    if (fences.length === 0)
      throw new Error(
        `${source}:${lineAt(text, start + at)}: the example of ${symbol} needs a fence that opens with \`\`\`ts`
      )
    return fences.map((match) => {
      const line = lineAt(text, start + match.index) + 1
      const lines = (match[1] ?? "").replace(/\n$/, "").split("\n")
      return {
        source,
        symbol,
        line,
        text: lines.map((each) => each.replace(/^[ \t]*\* ?/, "")).join("\n"),
        module: `${source.replace(/\.ts$/, "")}.${symbol}.${line}.ts`
      }
    })
  })

/** The module that runs an example: `assert` in scope, and each line where it stands in the source. */
export const moduleOf = (example: Example): string =>
  `import assert from "node:assert/strict"${"\n".repeat(example.line - 1)}${example.text}\nexport {}\n`

const lineAt = (text: string, index: number): number => text.slice(0, index).split("\n").length
