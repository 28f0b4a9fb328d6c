import { Experiment } from "homodistil/experiment"
import table3 from "./table3.ts"

/**
 * Table 4 of the paper: span extraction, here the longest base noun phrase of a sentence of Brown, or SQuAD where `--squad` gives it; the
 * cells are those of Table 3.
 */
export default Experiment.make({
  ...table3,
  name: "table4",
  title: "Table 4: span extraction",
  columns: ["span.exact", "span.f1"]
})
