import "./gradients.ts"
import type * as tf from "@tensorflow/tfjs-core"
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { Backend, type BackendShape, CompileError, ExecutionError, type Into, type Named } from "./Backend.ts"
import * as Native from "./native/Session.ts"
import type { Node } from "./onnx/Graph.ts"
import * as Pool from "./onnx/Pool.ts"
import { record, type Recorded, TracingRefusal } from "./onnx/TracingBackend.ts"
import "./onnx/registry.ts"
import * as SweepRunner from "./sweep/Runner.ts"
import * as Sweep from "./sweep/Sweep.ts"
import { sumOfSquares } from "./sweep/sumOfSquares.ts"
import { compileErrorOf, makeRegistry, overwrite, part, type Registry, withDeepStack } from "./Registry.ts"
import {
  type DeviceTensor,
  elements,
  type HostArray,
  type InputsOf,
  type TensorSpec,
  type TensorsOf,
  type Tree
} from "./Tensor.ts"
import * as TreeOf from "./Tree.ts"

/** How the native runtime works. */
export interface OnnxOptions {
  /**
   * Threads that a kernel may use. 1 lets several processes share the cores without waiting for each other. More are a pool that all
   * sessions of the process share: of as many threads as the process' first session asks for, or of one for each core if that asks for 1. A
   * session that asks for another number has slower threads of its own.
   */
  readonly threads: number
  /** Beginning of the names of files that each session writes the time of its kernels to (Chrome's trace format); none unless given. */
  readonly profile?: string
}

/** A live tensor's numbers, and the same numbers as the runtime takes them. */
interface Held {
  readonly data: HostArray
  readonly value: Native.Value
  /** Gives the numbers' memory back; nothing for a view. */
  readonly free: () => void
}

/** A record under the paths its entries have inside another. */
const under = <A, B>(key: string, values: Named<A>, f: (value: A) => B): Named<B> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${key}/${name}`, f(value)]))

/** Records a text for a signature. */
const trace = <const I extends Tree<TensorSpec>, O extends Tree<tf.Tensor>>(
  name: string,
  signature: I,
  text: (inputs: TensorsOf<I>) => O
): Effect.Effect<Recorded<O>, CompileError> =>
  Effect.try({
    try: () =>
      withDeepStack(() =>
        record(
          TreeOf.entries(signature, TreeOf.isSpec).map(([path, spec]) => ({ path, spec })),
          (tensors) => text(TreeOf.map(signature, TreeOf.isSpec, (_, path) => TreeOf.find(tensors, path))),
          (result) => TreeOf.entries(result, TreeOf.isTensor)
        )
      ),
    catch: (cause) => compileErrorOf(name, cause, cause instanceof TracingRefusal ? cause.kernel : undefined)
  })

const shapeOf = (options: OnnxOptions, runner: SweepRunner.Runner): BackendShape => {
  const registry: Registry<Held> = makeRegistry()
  const pool = Pool.make()

  /** A place for a tensor's numbers; they are those of an ended tensor until they are written. */
  const hold = ({ shape, dtype }: TensorSpec): Held => {
    const data = pool.take(dtype, elements(shape))
    return { data, value: Native.value(data, shape), free: () => pool.give(data) }
  }

  /** Sessions by the digest of their model, with how many compiled texts use each: equal texts share one. */
  const shared = new Map<string, { readonly session: Native.Session; users: number }>()

  const acquire = async (model: Uint8Array, inputs: ReadonlyArray<string>, outputs: ReadonlyArray<string>) => {
    const key = createHash("sha256").update(model).digest("hex")
    if (!shared.has(key)) {
      const session = await Native.open(model, inputs, outputs, options)
      // another one of the same may have been made meanwhile
      if (shared.has(key)) session.release()
      else shared.set(key, { session, users: 0 })
    }
    const entry = TreeOf.find(shared, key)
    entry.users++
    return { key, entry }
  }

  const open = (name: string, { graph, inputs, outputs }: Recorded<unknown>, nodes: ReadonlyArray<Node>) =>
    Effect.acquireRelease(
      Effect.tryPromise({
        try: () =>
          acquire(
            graph.encode(inputs, outputs, nodes),
            inputs.map((port) => port.name),
            outputs.map((port) => port.name)
          ),
        catch: (cause) =>
          new CompileError({ function: name, kernel: "session", where: "onnxruntime", reason: String(cause) })
      }).pipe(Effect.tap(() => Effect.sync(registry.openSession))),
      ({ key, entry }) =>
        Effect.sync(() => {
          registry.closeSession()
          if (--entry.users > 0) return
          shared.delete(key)
          entry.session.release()
          pool.clear()
        })
    ).pipe(Effect.map(({ entry }) => entry.session))

  const release = (tensor: DeviceTensor) =>
    Effect.sync(() => {
      const { value, free } = registry.remove(tensor)
      Native.releaseValue(value)
      free()
    })

  const compile: BackendShape["compile"] = Effect.fnUntraced(function* <
    const I extends Tree<TensorSpec>,
    O extends Tree<tf.Tensor>
  >(name: string, signature: I, text: (inputs: TensorsOf<I>) => O) {
    const recorded = yield* trace(name, signature, text)
    const nodes = recorded.graph.simplified(recorded.inputs, recorded.outputs)
    const session = yield* open(name, recorded, nodes)
    const outputs = recorded.outputs.map(({ name, spec }) => ({ spec, path: name.slice("out:".length) }))

    const run = (given: InputsOf<I>, into: Into = {}) =>
      Effect.gen(function* () {
        const live = new Map(TreeOf.entries(given, TreeOf.isDevice))
        const feeds = recorded.inputs.map(
          (port) => registry.get(TreeOf.find(live, port.name.slice("in:".length))).value
        )
        // a tensor used after its release is a defect, which must not leave new ones behind
        Object.values(into).forEach(registry.get)
        const made = new Map(outputs.map(({ path, spec }) => [path, into[path] ?? registry.add(spec, hold(spec))]))
        const results = [...made.values()].map((tensor) => registry.get(tensor).value)
        yield* Effect.tryPromise({
          try: () => session.run(feeds, results),
          catch: (cause) => new ExecutionError({ function: name, reason: String(cause) })
        }).pipe(
          Effect.onError(() =>
            Effect.forEach(made, ([path, tensor]) => (path in into ? Effect.void : release(tensor)), { discard: true })
          )
        )
        return TreeOf.map(recorded.result, TreeOf.isTensor, (_, path) => TreeOf.find(made, path))
        // a native call cannot be called off: what it reads and its session must outlive it
      }).pipe(Effect.uninterruptible)
    return { name, nodes: nodes.length, run }
  })

  const numbersOf = (vector: DeviceTensor): Float32Array => {
    const { data } = registry.get(vector)
    if (data instanceof Float32Array) return data
    throw new RangeError("vectors hold float32")
  }

  return {
    name: "onnx",
    compile,
    sweep: (name, signature, text) =>
      Effect.gen(function* () {
        const vector = { shape: [signature.length], dtype: "float32" } as const
        const scalar = { shape: [], dtype: "float32" } as const
        const recorded = yield* trace(
          name,
          {
            vectors: Object.fromEntries(signature.vectors.map((key) => [key, vector])),
            scalars: Object.fromEntries(signature.scalars.map((key) => [key, scalar]))
          },
          (x: { readonly vectors: Named<tf.Tensor>; readonly scalars: Named<tf.Tensor> }) => text(x.vectors, x.scalars)
        )
        const made = Sweep.make(runner, recorded, (output) => `vectors/${output}`)
        if (Result.isFailure(made))
          return yield* new CompileError({
            function: name,
            kernel: made.failure.op,
            where: "a sweep",
            reason: made.failure.reason
          })
        const { run } = made.success
        return {
          run: (given, numbers) =>
            Effect.sync(() =>
              run(
                under("vectors", given, numbersOf),
                under("scalars", numbers, (number) => number)
              )
            )
        }
      }),
    upload: (value) =>
      Effect.sync(() => {
        const held = hold(value)
        held.data.set(value.data)
        return registry.add(value, held)
      }),
    vector: (length) =>
      Effect.sync(() => {
        const data = runner.arena.allocate(length, "float32")
        const value = Native.value(data, [length])
        return registry.add({ shape: [length], dtype: "float32" }, { data, value, free: () => runner.arena.free(data) })
      }),
    view: (vector, from, shape) =>
      Effect.sync(() => {
        const data = part(numbersOf(vector), from, shape)
        return registry.add({ shape, dtype: "float32" }, { data, value: Native.value(data, shape), free: () => {} })
      }),
    write: (tensor, data) => Effect.sync(() => overwrite(registry.get(tensor).data, data)),
    sumOfSquares: (vectors) => Effect.sync(() => sumOfSquares(runner, vectors.map(numbersOf))),
    download: (tensor) =>
      Effect.sync(() => ({ shape: tensor.shape, dtype: tensor.dtype, data: registry.get(tensor).data.slice() })),
    peek: (tensor) =>
      Effect.sync(() => ({ shape: tensor.shape, dtype: tensor.dtype, data: registry.get(tensor).data })),
    release,
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
  Layer.effect(
    Backend,
    Effect.gen(function* () {
      const all = { threads: 1, ...options }
      const runner = yield* Effect.acquireRelease(
        Effect.sync(() => SweepRunner.make({ threads: all.threads })),
        (each) => Effect.promise(() => each.close())
      )
      return Backend.of(shapeOf(all, runner))
    })
  )
