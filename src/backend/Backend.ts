import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Tensor } from "@tensorflow/tfjs-core"
import type { DeviceTensor, HostTensor, InputsOf, OutputsOf, TensorSpec, TensorsOf, Tree } from "./Tensor.ts"

/** A text that cannot be compiled: the kernel or reading that stands in the way, and where in the text it is. */
export class CompileError extends Schema.TaggedError<CompileError>()("CompileError", {
  function: Schema.String,
  kernel: Schema.String,
  where: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `cannot compile ${this.function}: ${this.reason} (kernel ${this.kernel}, at ${this.where})`
  }
}

/** A backend that cannot be had on this machine: why, and what would bring it. */
export class BackendUnavailable extends Schema.TaggedError<BackendUnavailable>()("BackendUnavailable", {
  backend: Schema.String,
  reason: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `backend ${this.backend} is not available: ${this.reason}; ${this.remedy}`
  }
}

/** A native call that failed, which is a defect of the runtime or of this project. */
export class ExecutionError extends Schema.TaggedError<ExecutionError>()("ExecutionError", {
  function: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `running ${this.function} failed: ${this.reason}`
  }
}

/** A compiled text: one native call a run; its session ends with the scope it was compiled in. */
export interface Compiled<I, O> {
  readonly name: string
  /** Nodes of the recorded graph; 0 where the text runs eagerly. */
  readonly nodes: number
  /** Runs the text. The inputs stay live; the outputs are new live tensors that the caller releases. */
  readonly run: (inputs: InputsOf<I>) => Effect.Effect<OutputsOf<O>, ExecutionError>
}

/** Live tensors and open sessions: what a run must leave as it found it. */
export interface Live {
  readonly tensors: number
  readonly sessions: number
}

/** What each backend offers: compile a tfjs text for a signature, and move numbers in and out. */
export interface BackendShape {
  readonly name: string
  /** Compiles a pure tfjs function for the shapes of `signature`; it is called once while recording, or at each run where the backend is eager. */
  readonly compile: <const I extends Tree<TensorSpec>, O extends Tree<Tensor>>(
    name: string,
    signature: I,
    text: (inputs: TensorsOf<I>) => O
  ) => Effect.Effect<Compiled<I, O>, CompileError, Scope.Scope>
  readonly upload: (value: HostTensor) => Effect.Effect<DeviceTensor>
  /** A copy of a live tensor's values. */
  readonly download: (tensor: DeviceTensor) => Effect.Effect<HostTensor>
  /** Ends a tensor's life; its memory serves later outputs of the same size. */
  readonly release: (tensor: DeviceTensor) => Effect.Effect<void>
  readonly live: Effect.Effect<Live>
}

/** The tensor backend: where texts are compiled and where live tensors are kept. */
export class Backend extends Context.Service<Backend, BackendShape>()("homodistil/Backend") {}
