import "./gradients.ts"
import * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import { Backend, BackendUnavailable, type BackendShape, ExecutionError, type Into } from "./Backend.ts"
import { makeRegistry, overwrite, part, reasonOf, withDeepStack } from "./Registry.ts"
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

/** A live tensor: tfjs' own, or numbers of a vector that sweeps change in place. */
type Held = { tensor: tf.Tensor } | { readonly numbers: Float32Array; readonly shape: ReadonlyArray<number> }

/** A live tensor as an input; what is changed in place is copied, for an output may go on holding its inputs' numbers. */
const readingOf = (held: Held): tf.Tensor =>
  "tensor" in held ? held.tensor : tf.tensor(held.numbers.slice(), [...held.shape], "float32")

const numbersOf = (held: Held): Float32Array => {
  if ("numbers" in held) return held.numbers
  throw new RangeError("only vectors are changed in place")
}

const write = (held: Held, data: HostArray): void => {
  if ("numbers" in held) return overwrite(held.numbers, data)
  const { tensor } = held
  const values = hostOf(tensor)
  overwrite(values.data, data)
  held.tensor = tf.keep(tensorOf(values))
  tensor.dispose()
}

const shapeOf = (name: TfjsName, engine: string): BackendShape => {
  const registry = makeRegistry<Held>()
  const attempt = <A>(label: string, body: () => A) =>
    Effect.try({
      try: () =>
        on(engine, () => {
          tf.engine().startScope(label)
          try {
            return body()
          } finally {
            tf.engine().endScope()
          }
        }),
      catch: (cause) => new ExecutionError({ function: label, reason: `${name}: ${reasonOf(cause)}` })
    })

  const compile: BackendShape["compile"] = <const I extends Tree<TensorSpec>, O extends Tree<tf.Tensor>>(
    label: string,
    signature: I,
    text: (inputs: TensorsOf<I>) => O
  ) => {
    const runOn = (live: ReadonlyMap<string, Held>, into: Into) =>
      attempt(label, () => {
        const given = TreeOf.map(signature, TreeOf.isSpec, (_, path) => readingOf(TreeOf.find(live, path)))
        const outputs = withDeepStack(() => text(given))
        for (const [path, { shape, dtype }] of TreeOf.entries(outputs, TreeOf.isTensor)) {
          const target = into[path]
          if (target !== undefined && (String(target.shape) !== String(shape) || target.dtype !== dtype))
            throw new RangeError(
              `output ${path} has shape [${shape.join(", ")}], not that of the tensor it is written to`
            )
        }
        return TreeOf.map(outputs, TreeOf.isTensor, (t, path) => {
          const target = into[path]
          // cloned outputs have a life of their own, even where the text hands an input through
          if (target === undefined)
            return registry.add({ shape: [...t.shape], dtype: dtypeOf(t) }, { tensor: tf.keep(tf.clone(t)) })
          write(registry.get(target), hostOf(t).data)
          return target
        })
      })
    // a tensor used after its release is a defect, not a failure of the text
    const run = (given: InputsOf<I>, into: Into = {}) =>
      Effect.suspend(() => {
        Object.values(into).forEach(registry.get)
        return runOn(new Map(TreeOf.entries(given, TreeOf.isDevice).map(([path, t]) => [path, registry.get(t)])), into)
      })
    return Effect.succeed({ name: label, nodes: 0, run })
  }

  const sweep: BackendShape["sweep"] = (label, _, text) =>
    Effect.succeed({
      run: (vectors, scalars) =>
        Effect.suspend(() => {
          const live = new Map(Object.entries(vectors).map(([key, vector]) => [key, registry.get(vector)]))
          return attempt(label, () => {
            const results = text(
              Object.fromEntries([...live].map(([key, held]) => [key, readingOf(held)])),
              Object.fromEntries(Object.entries(scalars).map(([key, value]) => [key, tf.scalar(value)]))
            )
            const made = Object.entries(results).map(([key, result]) => [key, hostOf(result).data] as const)
            for (const [key, data] of made) numbersOf(TreeOf.find(live, key)).set(data)
          })
        })
    })

  const release = (held: Held): void => {
    if ("tensor" in held) held.tensor.dispose()
  }
  return {
    name,
    compile,
    sweep,
    upload: (value) =>
      Effect.sync(() =>
        registry.add(
          value,
          on(engine, () => ({ tensor: tf.keep(tensorOf(value)) }))
        )
      ),
    vector: (length) =>
      Effect.sync(() =>
        registry.add({ shape: [length], dtype: "float32" }, { numbers: new Float32Array(length), shape: [length] })
      ),
    view: (vector, from, shape) =>
      Effect.sync(() => {
        const numbers = part(numbersOf(registry.get(vector)), from, shape)
        return registry.add({ shape, dtype: "float32" }, { numbers, shape })
      }),
    write: (tensor, data) => Effect.sync(() => on(engine, () => write(registry.get(tensor), data))),
    sumOfSquares: (vectors) =>
      Effect.sync(() =>
        vectors.reduce((sum, vector) => {
          for (const x of numbersOf(registry.get(vector))) sum += x * x
          return sum
        }, 0)
      ),
    download: (tensor) =>
      Effect.sync(() => {
        const held = registry.get(tensor)
        if ("numbers" in held) return { shape: held.shape, dtype: "float32", data: held.numbers.slice() }
        return on(engine, () => hostOf(held.tensor))
      }),
    peek: (tensor) =>
      Effect.sync(() => {
        const held = registry.get(tensor)
        if ("numbers" in held) return { shape: held.shape, dtype: "float32", data: held.numbers }
        return on(engine, () => hostOf(held.tensor))
      }),
    release: (tensor) => Effect.sync(() => on(engine, () => release(registry.remove(tensor)))),
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
 * The inputs are read in place, without a copy, and a result that hands one through is that input's numbers. What the text needs besides, it makes by the function it is given: a host tensor
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
        return TreeOf.map(text(TreeOf.map(inputs, isHost, viewOf), viewOf), TreeOf.isTensor, ownNumbersOf)
      } finally {
        tf.engine().endScope()
      }
    })
  )

/** A tensor's own numbers, which outlive it: for a text evaluated once, they are nobody else's but its inputs'. */
const ownNumbersOf = (tensor: tf.Tensor): HostTensor => {
  const data = tensor.dataSync()
  return data instanceof Float32Array || data instanceof Int32Array
    ? { shape: [...tensor.shape], dtype: dtypeOf(tensor), data }
    : hostOf(tensor)
}

/** A tensor over the very numbers of the host: kernels never write into their inputs. */
const viewOf = (value: HostTensor): tf.Tensor => tf.tensor(value.data, [...value.shape], value.dtype)
