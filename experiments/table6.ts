import { Method } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { Experiment } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"

/** Table 6 of the paper: which importance score decides what is pruned. */
export default Experiment.make({
  name: "table6",
  title: "Table 6: importance scores",
  rowHeader: "Importance score",
  method: Method.homoDistil(),
  vary: {
    scorer: [
      Scorer.magnitude(),
      Scorer.random(),
      Scorer.gradient(),
      Scorer.movement(),
      Scorer.taylor(),
      Scorer.fisher(),
      Scorer.sensitivity(),
      Scorer.platon()
    ].map(Scorer.layer)
  },
  measure: Measure.standard(),
  seeds: 6,
  baseline: "magnitude",
  labels: {
    random: "random (control)",
    platon: "PLATON"
  },
  notes: ["One fixed teacher; a seed decides the order of the data, what is masked, and the random scores."]
})
