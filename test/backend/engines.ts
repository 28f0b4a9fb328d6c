import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import {
  Backend,
  type BackendUnavailable,
  type HostTensor,
  OnnxBackend,
  Tensor,
  TfjsBackend,
  tf,
  transfer
} from "homodistil/backend"

/** Tensors by name. */
export type Named<T> = { readonly [name: string]: T }

/** A text over named tensors. */
export type NamedText = (x: Named<tf.Tensor>) => Named<tf.Tensor>

/** The compiled backend, on two threads, and the eager ones beside it. */
export const engines = {
  onnx: OnnxBackend.layer({ threads: 2 }),
  cpu: TfjsBackend.layer("cpu"),
  wasm: TfjsBackend.layer("wasm")
}

/** Runs a program on a backend, with a scope of its own. */
export const on = <A, E>(
  layer: Layer.Layer<Backend, BackendUnavailable>,
  program: Effect.Effect<A, E, Backend | Scope.Scope>
): Promise<A> => Effect.runPromise(Effect.provide(Effect.scoped(program), layer))

/** The signature of named host tensors. */
export const signatureOf = (inputs: Named<HostTensor>): Named<Tensor.TensorSpec> =>
  Object.fromEntries(Object.entries(inputs).map(([name, { shape, dtype }]) => [name, { shape, dtype }]))

/** A text's results for some inputs; it leaves no tensor behind. */
export const evaluateWith = (inputs: Named<HostTensor>, text: NamedText) =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const compiled = yield* backend.compile("text", signatureOf(inputs), text)
    const given = yield* transfer.upload(backend, inputs)
    return yield* Effect.gen(function* () {
      const made = yield* compiled.run(given)
      const values = yield* transfer.download(backend, made)
      yield* transfer.release(backend, made)
      return values
    }).pipe(Effect.ensuring(transfer.release(backend, given)))
  })

/** A text's results and the gradients of their weighted sum with respect to the inputs named in `by`. */
export const withGradients =
  (text: (x: Named<tf.Tensor>) => tf.Tensor, by: ReadonlyArray<string>): NamedText =>
  (x) => {
    const value = text(x)
    if (by.length === 0) return { value }
    const weights = tf.tensor(
      Array.from({ length: value.size }, (_, i) => weight(i)),
      value.shape
    )
    const { grads } = tf.valueAndGrads((...tensors: Array<tf.Tensor>) =>
      tf.sum(tf.mul(text({ ...x, ...named(by, tensors) }), weights))
    )(by.map((name) => at(x, name)))
    return { value, ...named(by, grads, (name) => `d ${name}`) }
  }

/** The weight of the i-th output in the sum that `withGradients` differentiates. */
export const weight = (i: number): number => Math.cos(1 + i)

const named = <T>(names: ReadonlyArray<string>, values: ReadonlyArray<T>, called = (name: string) => name): Named<T> =>
  Object.fromEntries(names.flatMap((name, i) => values.slice(i, i + 1).map((v) => [called(name), v])))

/** The value of a name; fails where there is none. */
export const at = <T>(values: Named<T>, name: string): T => {
  const value = values[name]
  if (value === undefined) throw new Error(`there is no ${name}`)
  return value
}

/** Fails where two tensors of a name differ by more than `tolerance`, relative to the tensor's largest number (at least 1). */
export const agree = (actual: Named<HostTensor>, expected: Named<HostTensor>, tolerance: number): void => {
  assert.deepStrictEqual(Object.keys(actual).toSorted(), Object.keys(expected).toSorted())
  for (const [name, wanted] of Object.entries(expected)) {
    const got = at(actual, name)
    assert.deepStrictEqual([got.shape, got.dtype], [wanted.shape, wanted.dtype], `shape and type of ${name}`)
    const size = Math.max(1, ...Array.from(wanted.data, Math.abs))
    wanted.data.forEach((v, i) => {
      const gap = Math.abs(v - (got.data[i] ?? Number.NaN))
      assert.isTrue(gap <= tolerance * size, `${name}[${i}] is ${got.data[i]}, not ${v}`)
    })
  }
}

/** The tensors of plain numbers, as `evaluateWith` gives them. */
export const floats = (values: Named<readonly [data: ArrayLike<number>, shape: ReadonlyArray<number>]>) =>
  Object.fromEntries(Object.entries(values).map(([name, [data, shape]]) => [name, Tensor.host(data, shape)]))
