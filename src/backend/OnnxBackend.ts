import "./gradients.ts"
import type * as tf from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ort from "onnxruntime-node"
import { Backend, type BackendShape, CompileError, ExecutionError } from "./Backend.ts"
import * as Pool from "./onnx/Pool.ts"
import { record, TracingRefusal } from "./onnx/TracingBackend.ts"
import "./onnx/registry.ts"
import { compileErrorOf, makeRegistry, type Registry, withDeepStack } from "./Registry.ts"
import { elements, type HostArray, type InputsOf, type TensorSpec, type TensorsOf, type Tree } from "./Tensor.ts"
import * as TreeOf from "./Tree.ts"

/** How the native runtime works. */
export interface OnnxOptions {
  /** Threads of each session; 1 lets several runs share the cores without waiting for each other. */
  readonly threads: number
  /** Whether idle threads of a session spin: faster for a lone session, slower when sessions alternate. */
  readonly spinning: boolean
}

const sessionOptions = (options: OnnxOptions): ort.InferenceSession.SessionOptions => ({
  executionProviders: ["cpu"],
  intraOpNumThreads: options.threads,
  interOpNumThreads: 1,
  executionMode: "sequential",
  // the last level rearranges convolutions only: on these graphs it costs 60 ms a session and changes no kernel
  graphOptimizationLevel: "extended",
  // a failure is told by its error, not by the runtime on the terminal
  logSeverityLevel: 4,
  extra: {
    session: { intra_op: { allow_spinning: options.spinning ? "1" : "0" }, set_denormal_as_zero: "1" }
  }
})

/** A live tensor's numbers, and the same numbers as the runtime takes them. */
interface Held {
  readonly data: HostArray
  readonly tensor: ort.Tensor
}

const shapeOf = (options: OnnxOptions): BackendShape => {
  const registry: Registry<Held> = makeRegistry()
  const pool = Pool.make()

  /** A place for a tensor's numbers; they are those of an ended tensor until they are written. */
  const hold = ({ shape, dtype }: TensorSpec): Held => {
    const data = pool.take(dtype, elements(shape))
    const tensor =
      data instanceof Int32Array ? new ort.Tensor("int32", data, shape) : new ort.Tensor("float32", data, shape)
    return { data, tensor }
  }

  const open = (name: string, model: Uint8Array) =>
    Effect.acquireRelease(
      Effect.tryPromise({
        try: () => ort.InferenceSession.create(model, sessionOptions(options)),
        catch: (cause) =>
          new CompileError({ function: name, kernel: "session", where: "onnxruntime", reason: String(cause) })
      }).pipe(Effect.tap(() => Effect.sync(registry.openSession))),
      (session) =>
        Effect.promise(() => session.release()).pipe(
          Effect.tap(() =>
            Effect.sync(() => {
              registry.closeSession()
              pool.clear()
            })
          )
        )
    )

  const compile: BackendShape["compile"] = Effect.fnUntraced(function* <
    const I extends Tree<TensorSpec>,
    O extends Tree<tf.Tensor>
  >(name: string, signature: I, text: (inputs: TensorsOf<I>) => O) {
    const inputs = TreeOf.entries(signature, TreeOf.isSpec).map(([path, spec]) => ({ path, spec }))
    const recorded = yield* Effect.try({
      try: () =>
        withDeepStack(() =>
          record(
            inputs,
            (tensors) => text(TreeOf.map(signature, TreeOf.isSpec, (_, path) => TreeOf.find(tensors, path))),
            (result) => TreeOf.entries(result, TreeOf.isTensor)
          )
        ),
      catch: (cause) => compileErrorOf(name, cause, cause instanceof TracingRefusal ? cause.kernel : undefined)
    })
    const session = yield* open(name, recorded.graph.encode(recorded.inputs, recorded.outputs))
    const outputs = recorded.outputs.map(({ name, spec }) => ({ name, spec, path: name.slice("out:".length) }))

    const run = (given: InputsOf<I>) =>
      Effect.gen(function* () {
        const feeds: Record<string, ort.Tensor> = {}
        for (const [path, tensor] of TreeOf.entries(given, TreeOf.isDevice))
          feeds[`in:${path}`] = registry.get(tensor).tensor
        const held = outputs.map((output) => ({ ...output, values: hold(output.spec) }))
        const fetches = Object.fromEntries(held.map(({ name, values }) => [name, values.tensor]))
        // The runtime writes into the tensors of `fetches`; what it returns are copies, which are dropped.
        yield* Effect.tryPromise({
          try: () => session.run(feeds, fetches),
          catch: (cause) => new ExecutionError({ function: name, reason: String(cause) })
        })
        const made = new Map(held.map(({ path, spec, values }) => [path, registry.add(spec, values)]))
        return TreeOf.map(recorded.result, TreeOf.isTensor, (_, path) => TreeOf.find(made, path))
        // a native call cannot be called off: what it reads and its session must outlive it
      }).pipe(Effect.uninterruptible)
    return { name, nodes: recorded.graph.size(), run }
  })

  return {
    name: "onnx",
    compile,
    upload: (value) =>
      Effect.sync(() => {
        const held = hold(value)
        held.data.set(value.data)
        return registry.add(value, held)
      }),
    download: (tensor) =>
      Effect.sync(() => ({ shape: tensor.shape, dtype: tensor.dtype, data: registry.get(tensor).data.slice() })),
    release: (tensor) => Effect.sync(() => pool.give(registry.remove(tensor).data)),
    live: Effect.sync(registry.live)
  }
}

/**
 * Records a text once as an ONNX graph and runs it in ONNX Runtime: the whole step is one native call.
 *
 * A kernel without a rule is a `CompileError` that names the kernel and the line of the text.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Backend, OnnxBackend, Tensor, tf } from "homodistil/backend"
 * const program = Effect.gen(function* () {
 *   const backend = yield* Backend
 *   const compiled = yield* backend.compile("twice", { x: Tensor.float(2) }, ({ x }) => ({ y: tf.mul(x, 2) }))
 *   const made = yield* compiled.run({ x: yield* backend.upload(Tensor.host([1, 2])) })
 *   return yield* backend.download(made.y)
 * })
 * const y = await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(OnnxBackend.layer())))
 * assert.deepEqual([...y.data], [2, 4])
 * ```
 */
export const layer = (options: Partial<OnnxOptions> = {}): Layer.Layer<Backend> =>
  Layer.sync(Backend, () => shapeOf({ threads: options.threads ?? 1, spinning: options.spinning ?? false }))
