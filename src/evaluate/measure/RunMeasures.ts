import * as Effect from "effect/Effect"
import { Flops, Model } from "../../model/index.ts"
import { Spec } from "../../spec/index.ts"
import * as CutModel from "../CutModel.ts"
import * as DiscrepancyCurve from "../DiscrepancyCurve.ts"
import * as HeldOut from "../HeldOut.ts"
import type { Measure } from "./Measure.ts"
import { percent } from "./sized.ts"

const nats = { unit: "nats", better: "lower", digits: 3 } as const

/**
 * Masked-language-model loss and accuracy on the held-out batches, and there the prediction discrepancy KL(teacher ‖ student):
 * three columns of one forward pass.
 */
export const heldOut = (): Measure => ({
  spec: Spec.make("heldOut"),
  columns: [
    { id: "heldOut.discrepancy", name: "Test discrepancy", ...nats },
    { id: "heldOut.loss", name: "Test MLM loss", ...nats },
    { id: "heldOut.accuracy", name: "Test MLM accuracy", ...percent }
  ],
  run: ({ model, heldOut }) =>
    Effect.map(HeldOut.measure(CutModel.of(model), heldOut), ({ loss, accuracy, discrepancy }) => ({
      "heldOut.discrepancy": discrepancy,
      "heldOut.loss": loss,
      "heldOut.accuracy": 100 * accuracy
    })),
  flops: ({ config, heldOut }) => Flops.forward(config, heldOut)
})

/** The prediction discrepancy during the run (the paper's Fig. 3): at the end, its area as a mean over the steps, and its peak. */
export const curve = (): Measure => ({
  spec: Spec.make("discrepancyCurve"),
  columns: [
    { id: "curve.final", name: "Final discrepancy", ...nats },
    { id: "curve.area", name: "Mean discrepancy", ...nats },
    { id: "curve.peak", name: "Peak discrepancy", ...nats }
  ],
  run: ({ curve }) =>
    Effect.sync(() => ({
      "curve.final": DiscrepancyCurve.final(curve),
      "curve.area": DiscrepancyCurve.area(curve),
      "curve.peak": DiscrepancyCurve.peak(curve)
    }))
})

/** How many numbers the model holds; what is masked counts as gone. */
export const parameters = (): Measure => ({
  spec: Spec.make("parameters"),
  columns: [{ id: "parameters", name: "Parameters", better: "none", digits: 0 }],
  run: ({ model }) => Effect.sync(() => ({ parameters: Model.size(CutModel.of(model)) }))
})
