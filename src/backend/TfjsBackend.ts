import "./gradients.ts"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import { Backend, BackendUnavailable, type BackendShape, ExecutionError } from "./Backend.ts"
import { makeRegistry, reasonOf, withDeepStack } from "./Registry.ts"
import {
  type DType,
  type HostArray,
  type HostTensor,
  type InputsOf,
  type MapTree,
  type TensorSpec,
  type TensorsOf,
  type Tree
} from "./Tensor.ts"
import { isHost } from "./transfer.ts"
import * as TreeOf from "./Tree.ts"

/** The tfjs backends a text can run on eagerly; `node` and `node-gpu` need their package to be installed. */
export type TfjsName = "cpu" | "wasm" | "node" | "node-gpu"

/** What each tfjs backend is called inside tfjs, and how its package is loaded. */
const sources: { readonly [N in TfjsName]: { readonly engine: string; readonly load: () => Promise<unknown> } } = {
  cpu: { engine: "cpu", load: () => import("@tensorflow/tfjs-backend-cpu") },
  wasm: { engine: "wasm", load: () => import("./wasm.ts") },
  node: { engine: "tensorflow", load: () => optionalPackage("@tensorflow/tfjs-node") },
  "node-gpu": { engine: "tensorflow", load: () => optionalPackage("@tensorflow/tfjs-node-gpu") }
}

const optionalPackage = (name: string): Promise<unknown> => import(name)

const dtypeOf = (tensor: tf.Tensor): DType => (tensor.dtype === "int32" ? "int32" : "float32")

const hostOf = (tensor: tf.Tensor): HostTensor => {
  const values: HostArray =
    dtypeOf(tensor) === "int32" ? new Int32Array(tensor.dataSync()) : new Float32Array(tensor.dataSync())
  return { shape: [...tensor.shape], dtype: dtypeOf(tensor), data: values }
}

const tensorOf = (value: HostTensor): tf.Tensor => tf.tensor(value.data.slice(), [...value.shape], value.dtype)

/** Runs `body` with `engine` as tfjs' active backend; tfjs switches at once when the backend is already started. */
const on = <A>(engine: string, body: () => A): A => {
  const previous = tf.getBackend()
  if (previous === engine) return body()
  void tf.setBackend(engine)
  try {
    return body()
  } finally {
    if (previous) void tf.setBackend(previous)
  }
}

const shapeOf = (name: TfjsName, engine: string): BackendShape => {
  const registry = makeRegistry<tf.Tensor>()
  const compile: BackendShape["compile"] = <const I extends Tree<TensorSpec>, O extends Tree<tf.Tensor>>(
    label: string,
    signature: I,
    text: (inputs: TensorsOf<I>) => O
  ) => {
    const inputsOf = (given: InputsOf<I>) =>
      new Map(TreeOf.entries(given, TreeOf.isDevice).map(([path, t]) => [path, registry.get(t)]))
    const runOn = (live: ReadonlyMap<string, tf.Tensor>) =>
      Effect.try({
        try: () =>
          on(engine, () => {
            tf.engine().startScope(label)
            try {
              const given = TreeOf.map(signature, TreeOf.isSpec, (_, path) => TreeOf.find(live, path))
              const outputs = withDeepStack(() => text(given))
              // cloned outputs have a life of their own, even where the text hands an input through
              return TreeOf.map(outputs, TreeOf.isTensor, (t) =>
                registry.add({ shape: [...t.shape], dtype: dtypeOf(t) }, tf.keep(tf.clone(t)))
              )
            } finally {
              tf.engine().endScope()
            }
          }),
        catch: (cause) => new ExecutionError({ function: label, reason: `${name}: ${reasonOf(cause)}` })
      })
    // a tensor used after its release is a defect, not a failure of the text
    const run = (given: InputsOf<I>) => Effect.suspend(() => runOn(inputsOf(given)))
    return Effect.succeed({ name: label, nodes: 0, run })
  }
  return {
    name,
    compile,
    upload: (value) =>
      Effect.sync(() =>
        registry.add(
          value,
          on(engine, () => tf.keep(tensorOf(value)))
        )
      ),
    download: (tensor) => Effect.sync(() => on(engine, () => hostOf(registry.get(tensor)))),
    release: (tensor) => Effect.sync(() => on(engine, () => registry.remove(tensor).dispose())),
    live: Effect.sync(registry.live)
  }
}

// starting a backend switches tfjs to it for a while, so they start one after another, and once
const oneAtATime = Semaphore.makeUnsafe(1)
const started = new Set<TfjsName>()

const start = (name: TfjsName): Effect.Effect<string, BackendUnavailable> => {
  const { engine, load } = sources[name]
  const starting = Effect.tryPromise({
    try: async () => {
      if (started.has(name)) return engine
      await load()
      const previous = tf.getBackend()
      if (!(await tf.setBackend(engine))) throw new Error("tfjs could not start it")
      await tf.ready()
      if (previous) await tf.setBackend(previous)
      started.add(name)
      return engine
    },
    catch: (cause) =>
      new BackendUnavailable({
        backend: name,
        reason: cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause),
        remedy: name.startsWith("node") ? `install @tensorflow/tfjs-${name}` : "use the onnx backend"
      })
  })
  return oneAtATime.withPermit(starting)
}

/** Runs texts eagerly on a tfjs backend: the oracle of the compiled ones, and the way to a GPU through tfjs-node-gpu. */
export const layer = (name: TfjsName): Layer.Layer<Backend, BackendUnavailable> =>
  Layer.effect(
    Backend,
    Effect.map(start(name), (engine) => Backend.of(shapeOf(name, engine)))
  )

/**
 * Evaluates a text once on tfjs' plain JavaScript backend: for small sums on the host, such as scores at a pruning event.
 *
 * @example
 * ```ts
 * import { evaluate, tf, Tensor } from "homodistil/backend"
 * const y = await evaluate((x) => tf.abs(x), Tensor.host([-1, 2]))
 * assert.deepEqual([...y.data], [1, 2])
 * ```
 */
export const evaluate = async (
  text: (...inputs: ReadonlyArray<tf.Tensor>) => tf.Tensor,
  ...inputs: ReadonlyArray<HostTensor>
): Promise<HostTensor> => {
  const engine = await Effect.runPromise(start("cpu"))
  return on(engine, () => {
    const tensors = inputs.map(tensorOf)
    const result = tf.tidy(() => text(...tensors))
    const values = hostOf(result)
    tf.dispose([result, ...tensors])
    return values
  })
}

/**
 * Evaluates a text over trees of host tensors at once, on tfjs' plain JavaScript backend.
 *
 * The inputs are read in place, without a copy. What the text needs besides, it makes by the function it is given: a host tensor
 * as a tensor.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { evaluateAll, tf, Tensor } from "homodistil/backend"
 * const twice = evaluateAll({ x: Tensor.host([1, 2]) }, ({ x }) => ({ double: tf.mul(x, 2), square: tf.square(x) }))
 * const { double, square } = await Effect.runPromise(twice)
 * assert.deepEqual([[...double.data], [...square.data]], [[2, 4], [1, 4]])
 * ```
 */
export const evaluateAll = <I, O>(
  inputs: I,
  text: (inputs: MapTree<I, HostTensor, tf.Tensor>, tensorOf: (value: HostTensor) => tf.Tensor) => O
): Effect.Effect<MapTree<O, tf.Tensor, HostTensor>> =>
  Effect.map(Effect.orDie(start("cpu")), (engine) =>
    on(engine, () => {
      tf.engine().startScope("evaluateAll")
      try {
        return TreeOf.map(text(TreeOf.map(inputs, isHost, viewOf), viewOf), TreeOf.isTensor, hostOf)
      } finally {
        tf.engine().endScope()
      }
    })
  )

/** A tensor over the very numbers of the host: kernels never write into their inputs. */
const viewOf = (value: HostTensor): tf.Tensor => tf.tensor(value.data, [...value.shape], value.dtype)
