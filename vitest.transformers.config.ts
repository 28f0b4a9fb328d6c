import { defineConfig } from "vitest/config"
import { resolve, shared } from "./vitest.config.ts"

/** The tests that have `transformers` as an oracle, skipped where no Python is given: `npm run test:transformers`. */
export default defineConfig({
  resolve,
  test: { ...shared, include: ["test/transformers/**/*.test.ts"], testTimeout: 1_800_000 }
})
