export { define, type Definition, type ScorerKind } from "./define.ts"
export { ema } from "./ema.ts"
export { fisher } from "./fisher.ts"
export { gradient } from "./gradient.ts"
export {
  type ImportanceScorer,
  layer,
  type ScoreInput,
  ScorerService,
  type Slots,
  type UpdateInput
} from "./ImportanceScorer.ts"
export { magnitude } from "./magnitude.ts"
export { mix } from "./mix.ts"
export { movement } from "./movement.ts"
export { platon, type PlatonOptions } from "./platon.ts"
export { random } from "./random.ts"
export { type ByParameter, scoreAll } from "./scoreAll.ts"
export { sensitivity } from "./sensitivity.ts"
export { taylor } from "./taylor.ts"
export { upperConfidence, type UpperConfidenceOptions } from "./upperConfidence.ts"
export { windowMean, type WindowOptions } from "./windowMean.ts"
export { wrap, type Wrapping } from "./wrap.ts"
