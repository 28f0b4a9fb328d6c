import { Method } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { Experiment } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"

/** An experiment of one's own, small enough for a test. */
export default Experiment.make({
  name: "tiny",
  title: "Tiny",
  method: Method.homoDistil(),
  vary: { scorer: [Scorer.magnitude(), Scorer.random()].map(Scorer.layer) },
  measure: [Measure.curve()],
  seeds: 1,
  baseline: "magnitude"
})
