import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { RunStore } from "homodistil/experiment"
import { working } from "../runStoreSuite.ts"
import { inFolder } from "./disks.ts"

const racer = fileURLToPath(new URL("racer.ts", import.meta.url))

/** A process that works on cells. */
export interface Racer {
  readonly child: ChildProcess
  readonly lines: ReadonlyArray<string>
  /** When it has done a cell, or ended. */
  readonly worked: Promise<void>
  readonly ended: Promise<unknown>
}

const start = (folder: string, marks: string, keys: number): Racer => {
  const args = ["-C", "homodistil-source", racer, folder, marks, `${keys}`]
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] })
  const lines: Array<string> = []
  const worked = new Promise<void>((resolve) => {
    child.on("close", () => resolve())
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        lines.push(...text.trim().split("\n"))
        if (lines.length > 1) resolve()
      })
    }
  })
  return { child, lines, worked, ended: once(child, "close") }
}

/** Four processes work on the same cells; what they said, and the lines of each cell's metrics. */
export const race = (keys: number, disturb: (racers: Array<Racer>, another: () => Racer) => Promise<void>) =>
  inFolder((folder) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const marks = yield* fs.makeTempDirectoryScoped()
      const another = () => start(folder, marks, keys)
      const racers = Array.from({ length: 4 }, another)
      yield* Effect.promise(() => disturb(racers, another))
      yield* Effect.promise(() => Promise.all(racers.map(({ ended }) => ended)))
      const store = yield* RunStore
      assert.deepStrictEqual(yield* store.verify, [])
      const entries = yield* store.list
      assert.deepStrictEqual([...new Set(entries.map(({ state }) => state))], ["finished"])
      assert.strictEqual(entries.length, keys)
      for (const { key } of entries) {
        const metrics = yield* fs.readFileString(`${folder}/cells/${key}/metrics.ndjson`)
        assert.strictEqual(metrics.split("\n").length, 5, metrics)
        yield* working(key, () => Effect.void)
      }
      return racers.flatMap(({ lines }) => lines)
    }).pipe(Effect.scoped)
  )

/** The cells that processes said they did. */
export const done = (lines: ReadonlyArray<string>) => lines.filter((line) => line.startsWith("done ")).toSorted()

/** What processes said besides. */
export const unexpected = (lines: ReadonlyArray<string>) => lines.filter((line) => !/^(ready|done cell\d+)$/.test(line))
