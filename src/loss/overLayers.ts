import * as Schema from "effect/Schema"
import { tf } from "../backend/index.ts"
import { Options } from "../spec/index.ts"

/** How the layers of a term are put together: `sum` is the paper's, `mean` the micro setting, which does not grow with depth. */
export const Reduce = Options.withDefault(Schema.Literals(["mean", "sum"]), "mean")

/**
 * One number from the values of student and teacher layer by layer.
 *
 * Layers are matched one to one; a student of another depth than its teacher is a defect.
 */
export const overLayers = (
  student: ReadonlyArray<tf.Tensor>,
  teacher: ReadonlyArray<tf.Tensor>,
  reduce: "mean" | "sum",
  compare: (student: tf.Tensor, teacher: tf.Tensor, layer: number) => tf.Tensor
): tf.Tensor => {
  const terms = student.flatMap((x, i) => {
    const t = teacher[i]
    return t === undefined ? [] : [compare(x, t, i)]
  })
  if (terms.length === 0 || student.length !== teacher.length)
    throw new RangeError(
      `layers are matched one to one: the student has ${student.length}, the teacher ${teacher.length}`
    )
  const sum = tf.addN(terms)
  return reduce === "sum" ? sum : tf.mul(sum, 1 / terms.length)
}
