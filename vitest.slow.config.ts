import { defineConfig } from "vitest/config"
import { resolve, shared } from "./vitest.config.ts"

/** The tests that take minutes: `npm run test:slow`. */
export default defineConfig({
  resolve,
  test: { ...shared, include: ["test/slow/**/*.test.ts"], testTimeout: 1_800_000, passWithNoTests: true }
})
