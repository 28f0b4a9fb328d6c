export type { Given } from "./Given.ts"
export {
  all,
  type Column,
  flops,
  type Measure,
  type MeasureContext,
  type MeasureError,
  type MeasureSize,
  type Replacement,
  single,
  type Sized
} from "./Measure.ts"
export { curve, heldOut, parameters } from "./RunMeasures.ts"
export { span, squad } from "./SpanMeasures.ts"
export { standard } from "./standard.ts"
export { brown, fineTune, probe, task } from "./TaskMeasures.ts"
