import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { defineConfig, type ViteUserConfig } from "vitest/config"
import manifest from "./package.json" with { type: "json" }

const root = fileURLToPath(new URL(".", import.meta.url))

// "homodistil/<room>" is the source in a checkout; Vite does not know self-references, so they are read from the exports
const alias = Object.entries(manifest.exports).flatMap(([name, target]) =>
  typeof target === "string"
    ? []
    : [{ find: new RegExp(`^homodistil${name.slice(1)}$`), replacement: root + target["homodistil-source"].slice(2) }]
)

/**
 * What property tests draw from: the digest of the committed files, so that a commit that passed here passes elsewhere, and the next one is
 * tried on other draws. `HOMODISTIL_TEST_SEED=5 npm test` asks for others.
 */
const seed = (): string => {
  const given = process.env["HOMODISTIL_TEST_SEED"]
  if (given !== undefined) return given
  try {
    const stdio = ["ignore", "pipe", "ignore"] as const
    const tree = execFileSync("git", ["rev-parse", "HEAD^{tree}"], { cwd: root, encoding: "utf8", stdio: [...stdio] })
    return String(Number.parseInt(tree.slice(0, 7), 16))
  } catch {
    // an archive without git's records
    return "1"
  }
}

/** What all tests share; the slow ones have their own list of files. */
export const shared: ViteUserConfig["test"] = {
  root,
  pool: "forks",
  maxWorkers: 2,
  execArgv: ["-C", "homodistil-source"],
  setupFiles: ["test/seed.ts"],
  env: { HOMODISTIL_TEST_SEED: seed() },
  testTimeout: 60_000
}

/** How "homodistil/<room>" is found. */
export const resolve = { alias }

/** These make memories for WebAssembly by the hundred, more than a process has room for. */
const backend = "test/backend/**/*.test.ts"
const [house, examples] = ["test/house.test.ts", "test/docExamples.test.ts"]
const elsewhere = ["test/slow/**", "test/glue/**", "test/transformers/**", "test/types/**"]

const project = (name: string, test: ViteUserConfig["test"]) => ({ extends: true as const, test: { ...test, name } })

/** The unit and property tests; `vitest.slow.config.ts` holds the slow ones, `vitest.glue.config.ts` those on GLUE's own files, `vitest.transformers.config.ts` those against Python. */
export default defineConfig({
  resolve,
  test: {
    ...shared,
    projects: [
      project("house", { include: [house] }),
      project("examples", { include: [examples] }),
      project("backend", { include: [backend] }),
      project("rooms", {
        include: ["test/**/*.test.ts"],
        exclude: [house, examples, backend, ...elsewhere],
        // what all files import is half of their time, so a process reads it once
        isolate: false
      })
    ]
  }
})
