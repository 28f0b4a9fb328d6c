import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

/** A Python process that answers a JSON line with a JSON line; it lives as long as the tests that share it. */
export interface Oracle {
  readonly ask: (request: object) => Promise<unknown>
  readonly close: () => void
}

const script = fileURLToPath(new URL("oracle.py", import.meta.url))

/** Starts the oracle with this Python; its first line says which versions it has. */
export const start = async (python: string): Promise<Oracle & { readonly versions: string }> => {
  const child = spawn(python, [script], { stdio: ["pipe", "pipe", "pipe"] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const said: Array<string> = []
  child.stderr.on("data", (text) => said.push(String(text)))
  // a process that is gone is noticed by the end of its lines
  child.stdin.on("error", () => {})
  const failed = new Promise<never>((_, reject) => child.on("error", reject))
  failed.catch(() => {})
  const next = async (): Promise<string> => {
    const { done, value } = await Promise.race([lines.next(), failed])
    if (done === true) throw new Error(`${python} ended: ${said.join("").slice(-2000)}`)
    return value
  }
  const close = () => child.kill()
  const versions = await next().catch((error: unknown) => {
    close()
    throw error
  })
  return {
    versions,
    close,
    ask: async (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`)
      const answer: unknown = JSON.parse(await next())
      return answer
    }
  }
}
