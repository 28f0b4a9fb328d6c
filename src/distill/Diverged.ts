import * as Schema from "effect/Schema"

/** A loss that stopped being a number: the run it belongs to ends, others go on. */
export class Diverged extends Schema.TaggedError<Diverged>()("Diverged", { step: Schema.Int, loss: Schema.String }) {
  override get message(): string {
    return `the loss became ${this.loss} at step ${this.step}; lower the learning rate or lengthen the warm-up`
  }
}
