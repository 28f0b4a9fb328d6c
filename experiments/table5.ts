import * as Layer from "effect/Layer"
import { Method } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { Experiment } from "homodistil/experiment"
import * as Loss from "homodistil/loss"

/** HomoDistil with some weights of its loss changed. */
const weighted = (weights: Loss.HomoDistilOptions) =>
  Layer.mergeAll(Method.homoDistil(), Loss.layer(Loss.homoDistil(weights)))

/** Table 5 of the paper: the terms of the loss left out one by one, and all that compare with the teacher. */
export default Experiment.make({
  name: "table5",
  title: "Table 5: terms of the loss",
  rowHeader: "Loss",
  method: {
    all: Method.homoDistil(),
    "without MLM": weighted({ mlm: 0 }),
    "without KL": weighted({ kl: 0 }),
    "without hidden states": weighted({ hidden: 0 }),
    "without embedding": weighted({ embedding: 0 }),
    "without attention": weighted({ attention: 0 }),
    "MLM and KL alone": weighted({ hidden: 0, embedding: 0, attention: 0 }),
    "no distillation (MLM alone)": Method.noTeacher()
  },
  measure: Measure.standard(),
  seeds: 6,
  baseline: "all",
  notes: ["All rows are pruned along the same schedule by PLATON's score of the loss they train with."]
})
