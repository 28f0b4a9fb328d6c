import { hostname } from "node:os"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"

/** A process that works on cells: enough to tell it from one that got its number later, or runs on another machine. */
export const Worker = Schema.Struct({
  /** The machine's name, and the space its process numbers are counted in. */
  host: Schema.String,
  /** The machine's start. */
  boot: Schema.String,
  pid: Schema.Int,
  /** When the process was started, in the system's ticks; empty where that is unknown. */
  started: Schema.String
})

/** A process that works on cells. */
export type Worker = typeof Worker.Type

/** A text the system tells; empty where it does not. */
const told = <R>(text: Effect.Effect<string, unknown, R>): Effect.Effect<string, never, R> =>
  text.pipe(
    Effect.map((line) => line.trim()),
    Effect.orElseSucceed(() => "")
  )

/** Whether a process has ended, and when it was started (proc(5): fields 3, 20 and 22, after the name in parentheses). */
const statOf = (pid: number): Effect.Effect<{ ended: boolean; started: string }, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const text = yield* told((yield* FileSystem.FileSystem).readFileString(`/proc/${pid}/stat`))
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
    // its first thread may have ended while another one still writes
    const ended = /^[ZX]$/.test(fields[0] ?? "") && Number(fields[17]) < 2
    return { ended, started: fields[19] ?? "" }
  })

/** This process. */
export const here: Effect.Effect<Worker, never, FileSystem.FileSystem> = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return {
    host: `${hostname()} ${yield* told(fs.readLink("/proc/self/ns/pid"))}`.trim(),
    boot: yield* told(fs.readFileString("/proc/sys/kernel/random/boot_id")),
    pid: process.pid,
    started: (yield* statOf(process.pid)).started
  }
})

/** Whether two processes are of one machine since its start, so that one can ask after the other. */
export const areNear = (a: Worker, b: Worker): boolean => a.host === b.host && a.boot === b.boot

const answers = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // a process of somebody else is one, too
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/** Whether a process of this machine still runs. */
export const lives = ({ pid, started }: Worker): Effect.Effect<boolean, never, FileSystem.FileSystem> =>
  Effect.map(statOf(pid), (now) => {
    if (now.ended || !answers(pid)) return false
    return started === "" || now.started === "" || started === now.started
  })
