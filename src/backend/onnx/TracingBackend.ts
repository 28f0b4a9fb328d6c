import * as tf from "@tensorflow/tfjs-core"
import * as Data from "effect/Data"
import type { TensorSpec } from "../Tensor.ts"
import * as Graph from "./Graph.ts"

/** The name under which the recording backend is registered with tfjs. */
export const tracing = "homodistil-tracing"

/** What a text asked of the recorder that it cannot do: no rule for a kernel, or a look at values that do not exist yet. */
export class TracingRefusal extends Data.TaggedError("TracingRefusal")<{
  readonly kernel: string
  readonly message: string
}> {}

const refuse = (kernel: string, message: string): TracingRefusal => new TracingRefusal({ kernel, message })

// tfjs has one engine and one active backend a process, and tracing never yields, so one recorder is enough.
let recording: Graph.Graph | undefined

/** The graph that is being recorded; a defect when none is. */
export const graph = (): Graph.Graph => {
  if (recording === undefined) throw refuse("none", "a tensor of a finished recording was used")
  return recording
}

/** Whether all values are one number; a plain loop, since tfjs' gradients make millions of zeros and ones. */
const areAll = (values: ArrayLike<unknown>, number: number): boolean => {
  for (let i = 0; i < values.length; i++) if (values[i] !== number) return false
  return true
}

/** A tfjs backend whose tensors have names in a graph instead of values. */
class TracingBackend extends tf.KernelBackend {
  private readonly names = new WeakMap<object, { readonly name: string; readonly of: Graph.Graph }>()

  override write(values: tf.BackendValues, shape: Array<number>, dtype: tf.DataType): tf.DataId {
    if (dtype === "string" || dtype === "complex64" || values === null)
      throw refuse("Const", `a constant of type ${dtype}`)
    const type = dtype === "bool" ? "bool" : dtype === "int32" ? "int32" : "float32"
    const first = Number(values[0])
    // tfjs' own gradients are full of large tensors of ones: a number that is spread takes no room in the model
    if (values.length > 64 && areAll(values, first)) {
      const sizes = graph().constant(shape, [shape.length], "int64")
      return this.bind(graph().node("Expand", [graph().constant([first], [], type), sizes]))
    }
    return this.bind(graph().constant(Array.from(values, Number), shape, type))
  }
  /** A new identity of the engine's for a value of the graph. */
  bind(name: string): tf.DataId {
    const id = {}
    this.names.set(id, { name, of: graph() })
    return id
  }
  nameOf(id: object): string {
    const value = this.names.get(id)
    if (value === undefined || value.of !== recording)
      throw refuse("none", "a tensor from outside the text was used without being an input")
    return value.name
  }
  override read(): Promise<tf.BackendValues> {
    throw refuse("read", "the text reads a tensor's values, which exist only when it runs")
  }
  override readSync(): tf.BackendValues {
    throw refuse("read", "the text reads a tensor's values, which exist only when it runs")
  }
  override numDataIds(): number {
    return 0
  }
  override disposeData(): boolean {
    return true
  }
  override incRef(): void {}
  decRef(): void {}
  override refCount(): number {
    return 1
  }
  override epsilon(): number {
    return 1e-7
  }
  override floatPrecision(): 16 | 32 {
    return 32
  }
  override timerAvailable(): boolean {
    return false
  }
  override memory(): { unreliable: boolean } {
    return { unreliable: true }
  }
}

const backend = new TracingBackend()
// of the lowest priority, so that tfjs never takes it for its own
tf.registerBackend(tracing, () => backend, 0)

/** The graph's name of a tensor. */
export const nameOf = (tensor: tf.TensorInfo): string => backend.nameOf(tensor.dataId)

/** A tensor that stands for a named value of the graph. */
export const symbol = (name: string, shape: ReadonlyArray<number>, dtype: tf.DataType): tf.TensorInfo => ({
  dataId: backend.bind(name),
  shape: [...shape],
  dtype
})

/** Whether a text is being recorded just now: the fused operators ask. */
export const isTracing = (): boolean => recording !== undefined

/** What a text does, as a graph with its inputs and outputs, and the text's own result. */
export interface Recorded<O> {
  readonly graph: Graph.Graph
  readonly inputs: ReadonlyArray<Graph.Port>
  readonly outputs: ReadonlyArray<Graph.Port>
  readonly result: O
}

/** Records what `text` does. */
export const record = <O>(
  inputs: ReadonlyArray<{ readonly path: string; readonly spec: TensorSpec }>,
  text: (tensors: ReadonlyMap<string, tf.Tensor>) => O,
  outputsOf: (result: O) => ReadonlyArray<readonly [path: string, tensor: tf.Tensor]>
): Recorded<O> => {
  const previous = tf.getBackend() || "cpu"
  const engine = tf.engine()
  recording = Graph.make()
  void tf.setBackend(tracing)
  engine.startScope("trace")
  try {
    const ports = inputs.map(({ path, spec }): Graph.Port => ({ value: `in:${path}`, name: `in:${path}`, spec }))
    const tensors = new Map(
      ports.map(({ value, spec }, i) => [
        inputs[i]?.path ?? value,
        engine.makeTensorFromTensorInfo(symbol(value, spec.shape, spec.dtype), backend)
      ])
    )
    const result = text(tensors)
    const outputs = outputsOf(result).map(([path, tensor]): Graph.Port => {
      if (tensor.dtype !== "float32" && tensor.dtype !== "int32")
        throw refuse("output", `output ${path} has type ${tensor.dtype}; cast it to float32 or int32`)
      return { value: nameOf(tensor), name: `out:${path}`, spec: { shape: tensor.shape, dtype: tensor.dtype } }
    })
    return { graph: recording, inputs: ports, outputs, result }
  } finally {
    engine.endScope()
    recording = undefined
    void tf.setBackend(previous)
  }
}
