import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Tensor } from "@tensorflow/tfjs-core"
import type { DeviceTensor, HostArray, HostTensor, InputsOf, OutputsOf, TensorSpec, TensorsOf, Tree } from "./Tensor.ts"

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

/** Where outputs are written to, by their paths: live tensors of their shapes and types. */
export type Into = { readonly [path: string]: DeviceTensor }

/** A compiled text: one native call a run; its session ends with the scope it was compiled in. */
export interface Compiled<I, O> {
  readonly name: string
  /** Nodes of the recorded graph; 0 where the text runs eagerly. */
  readonly nodes: number
  /**
   * Runs the text. The inputs stay live; the outputs are new live tensors that the caller releases, except those that are written
   * `into` a live tensor, which may not be an input as well.
   */
  readonly run: (inputs: InputsOf<I>, into?: Into) => Effect.Effect<OutputsOf<O>, ExecutionError>
}

/** Live vectors, or anything else, by name. */
export type Named<T> = { readonly [name: string]: T }

/** What a sweep works on: vectors of one length, and how its numbers are called. */
export interface SweepSignature {
  readonly length: number
  readonly vectors: ReadonlyArray<string>
  readonly scalars: ReadonlyArray<string>
}

/** The text of a sweep: what becomes of vectors, each element by itself. Its results carry the names of the vectors they replace. */
export type SweepText = (vectors: Named<Tensor>, scalars: Named<Tensor>) => Named<Tensor>

/** A compiled sweep: one pass over vectors that changes them in place. */
export interface Sweep {
  readonly run: (vectors: Named<DeviceTensor>, scalars: Named<number>) => Effect.Effect<void, ExecutionError>
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
  /** Compiles an elementwise text that changes vectors in place; a text that is not elementwise, or needs a kernel that sweeps lack, is a `CompileError`. */
  readonly sweep: (name: string, signature: SweepSignature, text: SweepText) => Effect.Effect<Sweep, CompileError>
  readonly upload: (value: HostTensor) => Effect.Effect<DeviceTensor>
  /** A live vector of zeros, for state that sweeps change in place. */
  readonly vector: (length: number) => Effect.Effect<DeviceTensor>
  /** A part of a vector under a shape of its own, without a copy; it is released before its vector. A defect where it does not lie inside. */
  readonly view: (vector: DeviceTensor, from: number, shape: ReadonlyArray<number>) => Effect.Effect<DeviceTensor>
  /** Overwrites the values of a live tensor; a defect for more or fewer than it has. */
  readonly write: (tensor: DeviceTensor, data: HostArray) => Effect.Effect<void>
  /** The sum of the squares of vectors, in double precision. */
  readonly sumOfSquares: (vectors: ReadonlyArray<DeviceTensor>) => Effect.Effect<number>
  /** A copy of a live tensor's values. */
  readonly download: (tensor: DeviceTensor) => Effect.Effect<HostTensor>
  /** A live tensor's values, in place where the backend can: to be read before the tensor changes or ends, and not to be written. */
  readonly peek: (tensor: DeviceTensor) => Effect.Effect<HostTensor>
  /** Ends a tensor's life; its memory serves later outputs of the same size. */
  readonly release: (tensor: DeviceTensor) => Effect.Effect<void>
  readonly live: Effect.Effect<Live>
}

/** The tensor backend: where texts are compiled and where live tensors are kept. */
export class Backend extends Context.Service<Backend, BackendShape>()("homodistil/Backend") {}
