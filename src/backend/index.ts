export * as tf from "@tensorflow/tfjs-core"
export {
  Backend,
  type BackendShape,
  BackendUnavailable,
  CompileError,
  type Compiled,
  ExecutionError,
  type Live
} from "./Backend.ts"
export * as OnnxBackend from "./OnnxBackend.ts"
export * as ops from "./ops/index.ts"
export * as Tensor from "./Tensor.ts"
export type { DeviceTensor, HostArray, HostTensor, InputsOf, OutputsOf, TensorSpec, TensorsOf } from "./Tensor.ts"
export { evaluate, evaluateAll } from "./TfjsBackend.ts"
export * as TfjsBackend from "./TfjsBackend.ts"
export * as transfer from "./transfer.ts"
export * as Tree from "./Tree.ts"
