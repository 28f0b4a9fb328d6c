import { Experiment } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import table6 from "../experiments/table6.ts"
import { PeakGradient } from "./ownScorer.ts"

/** Table 6 with a scorer of one's own as its last row; the cells of the other rows are those of Table 6. */
export default Experiment.make({
  ...table6,
  name: "ownTable",
  title: "Table 6 with a scorer of our own",
  vary: { scorer: [...(table6.vary?.scorer ?? []), Scorer.layer(PeakGradient.make({ fade: 0.95 }))] },
  labels: { ...table6.labels, peakGradient: "peak gradient (ours)" }
})
