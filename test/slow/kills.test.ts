import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Seed } from "homodistil/spec"
import { root } from "../cli/terminal.ts"
import { writeTinyTeacher } from "../cli/tinyTeacher.ts"

/** How often a command is killed; `npm run test:faults` asks for 200. */
const kills = Number(process.env["HOMODISTIL_KILLS"] ?? 25)

const folder = mkdtempSync(join(tmpdir(), "homodistil-kills-"))
const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)

beforeAll(() => Effect.runPromise(writeTinyTeacher(at("teacher")).pipe(Effect.provide(NodeServices.layer))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Starts `reproduce` as a user does, in a process group of its own. */
const start = (store: string): ChildProcess =>
  spawn(
    process.execPath,
    [
      "-C",
      "homodistil-source",
      join(root, "src", "main.ts"),
      "reproduce",
      join(root, "test", "cli", "tinyExperiment.ts"),
      ..."--scale smoke --seeds 2 --jobs 2 --threads 1 --checkpoint-every 0.05 --quiet".split(" "),
      "--teacher",
      at("teacher"),
      "--store",
      at(store),
      "--out",
      at(store, "report")
    ],
    { stdio: ["ignore", "ignore", "pipe"], detached: true }
  )

/** Sends a signal to a process and all it started. */
const signal = ({ pid }: ChildProcess, name: NodeJS.Signals): void => {
  if (pid === undefined) return
  try {
    process.kill(-pid, name)
  } catch {
    // it was over already
  }
}

/** How a process ends: its exit code, `null` when it was killed, and what it complained of. */
const ended = (child: ChildProcess): Promise<{ readonly code: number | null; readonly error: string }> =>
  new Promise((resolve) => {
    let error = ""
    child.stderr?.on("data", (data) => (error += String(data)))
    child.on("close", (code) => resolve({ code, error }))
  })

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Every file that is the same for the same cells, by its path. */
const bytes = (store: string): { readonly [path: string]: string } => {
  const entry = (name: string, ...path: ReadonlyArray<string>): readonly [string, string] => [
    name,
    readFileSync(at(store, ...path), "utf8")
  ]
  return Object.fromEntries([
    ...readdirSync(at(store, "cells"))
      .toSorted()
      .flatMap((key) => ["result.json", "metrics.ndjson"].map((file) => entry(`${key}/${file}`, "cells", key, file))),
    ...readdirSync(at(store, "report"))
      .toSorted()
      .map((file) => entry(file, "report", file))
  ])
}

/** Runs the command until it is done, and gives how long that took. */
const whole = async (store: string): Promise<number> => {
  const began = performance.now()
  const { code, error } = await ended(start(store))
  assert.strictEqual(code, 0, error)
  return performance.now() - began
}

describe("reproduce", () => {
  it(
    `ends in the uninterrupted result, killed ${kills} times at random moments`,
    { timeout: 40 * 60_000 },
    async () => {
      const usual = await whole("whole")
      const expected = bytes("whole")
      const seed = Seed.make("kills")
      let killed = 0
      for (let store = 0; killed < kills; store++) {
        // a store is killed at until a command comes through
        for (let life = 0; ; life++) {
          const child = start(`store${store}`)
          const over = ended(child)
          const [share = 0] = Seed.uniforms(Seed.child(seed, `store ${store}`, life), 1)
          // a machine that became busier than it was must still come further from life to life
          const moment = sleep(share * usual * (1.05 + life / 10)).then(() => "now" as const)
          const first = killed < kills ? await Promise.race([over, moment]) : await over
          if (first === "now") signal(child, "SIGKILL")
          const { code, error } = await over
          // its processes notice that it is gone, and keep what they have in hand
          if (code === 0) break
          assert.strictEqual(code, null, error)
          killed++
        }
        assert.deepStrictEqual(bytes(`store${store}`), expected)
        rmSync(at(`store${store}`), { recursive: true, force: true })
      }
    }
  )

  it("stops within 2 s when it is interrupted, and goes on from there", { timeout: 120_000 }, async () => {
    const usual = await whole("again")
    for (const share of [0.3, 0.6, 0.9]) {
      const child = start("stopped")
      const over = ended(child)
      await sleep(share * usual)
      const asked = performance.now()
      signal(child, "SIGINT")
      const { code } = await over
      assert.isBelow(performance.now() - asked, 2000)
      assert.include([0, 130], code)
    }
    await whole("stopped")
    assert.deepStrictEqual(bytes("stopped"), bytes("again"))
  })

  it("shares the work of one store between four processes, no cell twice", { timeout: 120_000 }, async () => {
    await whole("one")
    const ends = await Promise.all(Array.from({ length: 4 }, () => ended(start("four"))))
    for (const { code, error } of ends) assert.strictEqual(code, 0, error)
    assert.deepStrictEqual(bytes("four"), bytes("one"))
    const begun = readdirSync(at("four", "cells")).map((key) =>
      readFileSync(at("four", "cells", key, "log.txt"), "utf8")
    )
    for (const log of begun) assert.lengthOf(log.match(/finished/g) ?? [], 1, log)
  })
})
