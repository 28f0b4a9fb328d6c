import * as Layer from "effect/Layer"
import { Method } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { Experiment } from "homodistil/experiment"
import * as Loss from "homodistil/loss"

/** TinyBERT with its terms in the setting of HomoDistil's: at micro scale raw errors of attention drown everything else. */
const tinyBert = (ratio: number) =>
  Layer.mergeAll(Method.tinyBert({ ratio }), Loss.layer(Loss.sum(Loss.attention(), Loss.hidden(), Loss.embedding())))

/** What students of one size are made by. */
const methods = (ratio: number) => ({
  tinyBert: tinyBert(ratio),
  miniLm: Method.miniLm({ ratio }),
  randomStudent: Method.randomStudent({ ratio }),
  noTeacher: Method.noTeacher({ ratio }),
  platonUnstructured: Method.platonUnstructured({ ratio }),
  oneShot: Method.oneShot({ ratio }),
  homoDistil: Method.homoDistil({ ratio })
})

/** Table 3 of the paper: downstream tasks by methods and sizes. */
export default Experiment.make({
  name: "table3",
  title: "Table 3: downstream tasks",
  rowHeader: "Method",
  method: {
    "three quarters of each axis": {
      tinyBert: tinyBert(0.75),
      oneShot: Method.oneShot({ ratio: 0.75 }),
      homoDistil: Method.homoDistil({ ratio: 0.75 })
    },
    "half of each axis": { ...methods(0.5), distilBert: Method.distilBert() },
    "a quarter of each axis": methods(0.25)
  },
  reference: { teacher: Method.teacher() },
  measure: Measure.standard(),
  columns: [
    "partOfSpeech.probe",
    "partOfSpeech.fineTune",
    "genre.probe",
    "genre.fineTune",
    "wordOrder.probe",
    "wordOrder.fineTune",
    "heldOut.loss"
  ],
  figures: [],
  seeds: 6,
  baseline: "tinyBert",
  labels: {
    tinyBert: "TinyBERT",
    miniLm: "MiniLM",
    distilBert: "DistilBERT (half the layers)",
    randomStudent: "HomoDistil's loss, random start",
    noTeacher: "iterative pruning, no teacher",
    platonUnstructured: "PLATON, single weights, no teacher",
    oneShot: "one-shot pruning, then distillation",
    homoDistil: "HomoDistil"
  },
  notes: [
    "One fixed teacher; a seed decides the order of the data, what is masked, random weights, and the fine-tuning.",
    "TinyBERT and MiniLM train no masked-language-model head, so their MLM loss says nothing of their hidden states.",
    "PLATON's students keep the teacher's shapes, embeddings included: half or a quarter of the weights of the prunable matrices are not zero."
  ]
})
