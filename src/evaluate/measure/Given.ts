import type { EncodedTask, SquadTask } from "../../data/index.ts"
import type { TextFineTuneOptions } from "../TextFineTune.ts"

/** Data of a user's that measures may be taken on in the place of tasks made from Brown. */
export interface Given {
  /** In the place of Brown's spans, in rows of `length` pieces. */
  readonly squad?: { readonly task: SquadTask; readonly length: number }
  /** In the place of Brown's three tasks, and how models are fine-tuned on them. */
  readonly texts?: {
    readonly tasks: ReadonlyArray<EncodedTask>
    readonly options: Partial<TextFineTuneOptions>
  }
}
