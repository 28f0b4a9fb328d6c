export { attention, type AttentionOptions } from "./attention.ts"
export { attentionDistribution } from "./attentionDistribution.ts"
export { cosine } from "./cosine.ts"
export {
  type DistillationLoss,
  inSetting,
  layer,
  type LossInput,
  LossService,
  type LossValue,
  type Projections,
  type Setting,
  type Tap,
  type TappedOutputs,
  teacherTaps,
  term
} from "./DistillationLoss.ts"
export { embedding } from "./embedding.ts"
export { hidden, type HiddenOptions } from "./hidden.ts"
export { homoDistil, type HomoDistilOptions } from "./homoDistil.ts"
export { kl, type KlOptions } from "./kl.ts"
export { maskedLm } from "./maskedLm.ts"
export { meanSquare } from "./meanSquare.ts"
export { overLayers } from "./overLayers.ts"
export { relationDivergence, type RelationOptions } from "./relationDivergence.ts"
export { scale } from "./scale.ts"
export { none, sum } from "./sum.ts"
export { valueRelation } from "./valueRelation.ts"
