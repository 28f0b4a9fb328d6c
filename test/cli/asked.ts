import * as Option from "effect/Option"
import type * as ReproduceSettings from "../../src/cli/ReproduceSettings.ts"

const none = Option.none()

/** The options of `reproduce table4 --scale smoke`. */
export const asked: ReproduceSettings.Options = {
  experiment: "table4",
  only: none,
  rows: none,
  text: none,
  seeds: none,
  teacher: none,
  store: "runs",
  checkpointEvery: none,
  scale: "smoke",
  threads: 1,
  squad: none,
  squadDev: none,
  glue: none,
  glueTasks: none,
  glueExamples: none,
  glueEpochs: none
}
