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

/** What all tests share; the slow ones have their own list of files. */
export const shared: ViteUserConfig["test"] = {
  root,
  pool: "forks",
  maxWorkers: 2,
  execArgv: ["-C", "homodistil-source"],
  testTimeout: 60_000
}

/** How "homodistil/<room>" is found. */
export const resolve = { alias }

/** The unit and property tests; `vitest.slow.config.ts` holds the slow ones, `vitest.glue.config.ts` those on GLUE's own files, `vitest.transformers.config.ts` those against Python. */
export default defineConfig({
  resolve,
  test: {
    ...shared,
    include: ["test/**/*.test.ts"],
    exclude: ["test/slow/**", "test/glue/**", "test/transformers/**", "test/types/**"]
  }
})
