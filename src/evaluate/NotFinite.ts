import * as Schema from "effect/Schema"

/** A measurement whose numbers stopped being finite: the model holds such numbers, or its fine-tuning diverged. */
export class NotFinite extends Schema.TaggedError<NotFinite>()("NotFinite", {
  measure: Schema.String,
  step: Schema.Int,
  value: Schema.String
}) {
  override get message(): string {
    return `the loss of ${this.measure} became ${this.value} at step ${this.step}; check the model's weights, or lower the learning rate`
  }
}
