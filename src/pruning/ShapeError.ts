import * as Schema from "effect/Schema"

/** A tensor and what is done to it do not fit: the axis, the size or index that was expected, and what there was. */
export class ShapeError extends Schema.TaggedError<ShapeError>()("ShapeError", {
  axis: Schema.String,
  expected: Schema.String,
  got: Schema.String
}) {
  override get message(): string {
    return `axis ${this.axis}: expected ${this.expected}, got ${this.got}; a plan fits only the sizes it was made for`
  }
}
