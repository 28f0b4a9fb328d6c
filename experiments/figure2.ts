import { Method } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { Experiment } from "homodistil/experiment"

/** Figure 2 of the paper, from a real run: the student starts as its teacher and every axis shrinks step by step. */
export default Experiment.make({
  name: "figure2",
  title: "Figure 2: the widths of the student",
  rowHeader: "Method",
  method: { homoDistil: Method.homoDistil() },
  measure: Measure.standard(),
  columns: ["curve.peak", "curve.final"],
  figures: ["widths"],
  seeds: 6,
  baseline: "homoDistil",
  labels: { homoDistil: "HomoDistil" }
})
