import { Experiment } from "homodistil/experiment"
import figure3 from "./figure3.ts"

/** Figure 1 of the paper: the discrepancy stays small along the path from the teacher to the small student. */
export default Experiment.make({
  ...figure3,
  name: "figure1",
  title: "Figure 1: the discrepancy along the path",
  columns: ["curve.peak", "curve.area", "curve.final"],
  figures: ["path"]
})
