import { Method } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { Experiment } from "homodistil/experiment"

/** Figure 3 of the paper: the discrepancy during training, by where the student starts and how it is pruned. */
export default Experiment.make({
  name: "figure3",
  title: "Figure 3: where the student starts",
  rowHeader: "Student",
  method: {
    randomStudent: Method.randomStudent(),
    oneShot: Method.oneShot(),
    homoDistil: Method.homoDistil()
  },
  // the measures of the tables, so that their cells serve here too
  measure: Measure.standard(),
  columns: ["curve.peak", "curve.area", "curve.final", "heldOut.discrepancy", "heldOut.loss"],
  figures: ["discrepancy"],
  seeds: 6,
  baseline: "randomStudent",
  labels: {
    randomStudent: "random start, final size",
    oneShot: "teacher's start, pruned at once",
    homoDistil: "teacher's start, pruned step by step (HomoDistil)"
  },
  notes: ["One fixed teacher; a seed decides the order of the data, what is masked, and random weights."]
})
