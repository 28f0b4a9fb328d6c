import * as fc from "fast-check"

// every property draws from the seed that `vitest.config.ts` chose
fc.configureGlobal({ seed: Number(process.env["HOMODISTIL_TEST_SEED"]) })
