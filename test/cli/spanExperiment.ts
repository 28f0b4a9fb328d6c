import { Measure } from "homodistil/evaluate"
import { Experiment } from "homodistil/experiment"
import tiny from "./tinyExperiment.ts"

/** An experiment of one's own that measures span extraction. */
export default Experiment.make({
  ...tiny,
  name: "spans",
  title: "Spans",
  measure: [Measure.curve(), Measure.span()],
  columns: ["span.exact", "span.f1"]
})
