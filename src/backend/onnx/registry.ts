import * as tf from "@tensorflow/tfjs-core"
import { attendRules } from "../ops/attend.ts"
import { crossEntropyRules } from "../ops/crossEntropy.ts"
import { geluRules } from "../ops/gelu.ts"
import { geluTanhRules } from "../ops/geluTanh.ts"
import { layerNormRules } from "../ops/layerNorm.ts"
import { linearRules } from "../ops/linear.ts"
import { squaredErrorRules } from "../ops/squaredError.ts"
import { swishRules } from "../ops/swish.ts"
import type { Rule } from "./Rule.ts"
import { elementwise } from "./rules/elementwise.ts"
import { products } from "./rules/products.ts"
import { reductions } from "./rules/reductions.ts"
import { shapes } from "./rules/shapes.ts"
import { tracing } from "./TracingBackend.ts"

/** Every kernel that a compiled text may use, with its rule. */
export const rules: { readonly [kernel: string]: Rule } = {
  ...elementwise,
  ...shapes,
  ...reductions,
  ...products,
  ...attendRules,
  ...geluRules,
  ...geluTanhRules,
  ...layerNormRules,
  ...linearRules,
  ...crossEntropyRules,
  ...squaredErrorRules,
  ...swishRules
}

/** The names of the kernels a compiled text may use. */
export const kernels: ReadonlyArray<string> = Object.keys(rules).sort()

for (const [kernelName, rule] of Object.entries(rules))
  tf.registerKernel({
    kernelName,
    backendName: tracing,
    kernelFunc: ({ inputs, attrs }) => rule(inputs, attrs ?? {})
  })
