import { defineConfig } from "vitest/config"
import { resolve, shared } from "./vitest.config.ts"

/** The tests on GLUE's official files, skipped where there are none: `npm run test:glue`. */
export default defineConfig({
  resolve,
  test: { ...shared, include: ["test/glue/**/*.test.ts"], testTimeout: 1_800_000 }
})
