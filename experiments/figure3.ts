import { Method, StudentInit } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { Experiment } from "homodistil/experiment"

/** Figure 3 of the paper: a student that starts as its teacher and is pruned, against one that starts at random at its final size. */
export default Experiment.make({
  name: "figure3",
  title: "Figure 3: where the student starts",
  rowHeader: "Student",
  method: Method.homoDistil(),
  vary: { student: [StudentInit.random, StudentInit.fromTeacher].map(StudentInit.layer) },
  // the measures of Table 6, so that its PLATON cells serve here too
  measure: [Measure.heldOut(), Measure.curve(), Measure.brown()],
  seeds: 3,
  baseline: "random",
  labels: {
    random: "random start, final size",
    fromTeacher: "teacher's start, pruned (HomoDistil)"
  },
  notes: ["One fixed teacher; a seed decides the order of the data, what is masked, and random weights."]
})
