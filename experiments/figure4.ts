import { partOfSpeech, wordOrder } from "homodistil/data"
import { Measure } from "homodistil/evaluate"
import { Experiment } from "homodistil/experiment"
import figure3 from "./figure3.ts"

const sentences = { length: 32 }
const measure = [
  Measure.heldOut(),
  Measure.task(partOfSpeech()),
  Measure.probe(wordOrder(), { full: sentences, small: sentences }),
  Measure.curve()
]

/** Figure 4 of the paper: how well the students of one run do on tasks, from the first step to the last. */
export default Experiment.make({
  ...figure3,
  name: "figure4",
  title: "Figure 4: tasks along the run",
  measure,
  trajectory: { points: 5, measure: measure.slice(1, 3) },
  columns: ["partOfSpeech.probe", "partOfSpeech.fineTune", "wordOrder.probe"],
  figures: ["trajectory"]
})
