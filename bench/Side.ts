import { spawn } from "node:child_process"
import process from "node:process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { readReply, type Reply, type Request } from "./Job.ts"

/** A process that works on requests, one at a time, and sleeps in between. */
export interface Side {
  /** Fails when the process ends, says something else, or takes longer than it may (seconds); then it is gone. */
  readonly ask: (request: Request, seconds?: number) => Promise<Reply>
  readonly close: () => Promise<void>
}

/** A side that could not do what was asked, with what it said of it. */
export class SideError extends Error {}

/** Lines of a process' complaints that are kept to be shown. */
const keptLines = 30

const open = (name: string, command: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv): Side => {
  // a group of its own, so that helpers it starts (compilers) end with it
  const child = spawn(command, [...args], { env: { ...process.env, ...env }, detached: true })
  const said: Array<string> = []
  createInterface({ input: child.stderr }).on("line", (line) => {
    said.push(line)
    if (said.length > keptLines) said.shift()
  })
  child.stdin.on("error", () => undefined)
  const waiting: Array<(line: string | Error) => void> = []
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(line))
  const ended = new Promise<void>((resolve) => {
    const end = (why: string): void => {
      for (const tell of waiting.splice(0)) tell(new SideError(`${name} ${why}\n${said.join("\n")}`))
      resolve()
    }
    child.on("error", (error) => end(`did not start: ${error.message}`))
    child.on("close", (code, signal) => end(`ended with ${signal ?? code}`))
  })
  const kill = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return
    try {
      process.kill(-child.pid, "SIGKILL")
    } catch {
      // it ended by itself meanwhile
    }
  }
  process.once("exit", kill)
  return {
    ask: (request, seconds) =>
      new Promise((resolve, reject) => {
        const timer =
          seconds === undefined
            ? undefined
            : setTimeout(() => {
                waiting.splice(0)
                kill()
                reject(new SideError(`${name} took longer than ${seconds} s`))
              }, 1000 * seconds)
        waiting.push((line) => {
          clearTimeout(timer)
          if (line instanceof Error) reject(line)
          else resolve(readReply(line))
        })
        child.stdin.write(`${JSON.stringify(request)}\n`)
      }),
    close: async () => {
      child.stdin.end()
      const timer = setTimeout(kill, 5000)
      await ended
      clearTimeout(timer)
      process.removeListener("exit", kill)
    }
  }
}

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Our side of a job. */
export const ours = (folder: string): Side =>
  open("homodistil", process.execPath, ["-C", "homodistil-source", at("worker.ts"), folder], {})

/** The Python that PyTorch is looked for in. */
export const python = (): string => process.env["PYTHON"] ?? "python3"

/** PyTorch's side of a job, in one of its variants. */
export const peer = (folder: string, variant: string, threads: number): Side =>
  open(`PyTorch (${variant})`, python(), [at("peer"), folder, variant], {
    OMP_NUM_THREADS: String(threads),
    MKL_NUM_THREADS: String(threads)
  })

/** Which PyTorch there is, or why there is none. */
export const ready = (): Promise<{ readonly version?: string; readonly problem?: string }> =>
  new Promise((resolve) => {
    const child = spawn(python(), [at("peer"), "--ready"])
    let [out, err] = ["", ""]
    child.stdout.on("data", (data) => (out += String(data)))
    child.stderr.on("data", (data) => (err += String(data)))
    child.on("error", (error) => resolve({ problem: error.message }))
    child.on("close", (code) => {
      const version = /"torch": "([^"]+)"/.exec(out)?.[1]
      resolve(code === 0 && version !== undefined ? { version } : { problem: err.trim() })
    })
  })
