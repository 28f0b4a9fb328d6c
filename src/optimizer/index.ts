export { adamW, adamWDefaults, type AdamWOptions } from "./adamW.ts"
export { clipByGlobalNorm } from "./clip.ts"
export { type Optimizer, OptimizerService } from "./Optimizer.ts"
export * as TrainStep from "./TrainStep.ts"
