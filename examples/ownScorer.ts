import * as Schema from "effect/Schema"
import { tf } from "homodistil/backend"
import * as Scorer from "homodistil/importance"

/** A scorer of one's own: the largest |∂L/∂w| a weight has seen, fading step by step. */
export const PeakGradient = Scorer.define({
  name: "peakGradient",
  options: Schema.Struct({ fade: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })) }),
  slots: ["peak"],
  update: ({ peak }, { grad }, { fade }) => ({ peak: tf.maximum(tf.mul(peak, fade), tf.abs(grad)) }),
  score: ({ peak }) => peak
})
