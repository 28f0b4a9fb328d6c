import { Method } from "../../src/distill/index.ts"
import { Measure } from "../../src/evaluate/index.ts"
import { Experiment } from "../../src/experiment/index.ts"

/** Three methods that are measured on the tasks made from Brown. */
export default Experiment.make({
  name: "taskExperiment",
  title: "Tasks",
  method: { oneShot: Method.oneShot(), homoDistil: Method.homoDistil(), noTeacher: Method.noTeacher() },
  measure: Measure.standard(),
  columns: ["heldOut.loss", "genre.probe", "genre.fineTune"],
  figures: [],
  seeds: 1,
  baseline: "oneShot",
  labels: { noTeacher: "no teacher" }
})
