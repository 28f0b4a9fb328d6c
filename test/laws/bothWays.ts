import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  Backend,
  type HostTensor,
  OnnxBackend,
  type TensorSpec,
  TfjsBackend,
  type tf,
  transfer
} from "homodistil/backend"

/** Tensors by name. */
export type Named<T> = { readonly [name: string]: T }

/** A text over named tensors. */
export type NamedText = (x: Named<tf.Tensor>) => Named<tf.Tensor>

const once = (name: string, inputs: Named<HostTensor>, text: NamedText) =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const signature: Named<TensorSpec> = Object.fromEntries(
        Object.entries(inputs).map(([key, { shape, dtype }]) => [key, { shape, dtype }])
      )
      const compiled = yield* backend.compile(name, signature, text)
      const given = yield* transfer.upload(backend, inputs)
      const made = yield* compiled.run(given)
      const values = yield* transfer.download(backend, made)
      yield* transfer.release(backend, { given, made })
      return values
    })
  )

/** A text's results compiled to a graph (two threads) and evaluated eagerly on tfjs' plain backend. */
export const bothWays = async (
  name: string,
  inputs: Named<HostTensor>,
  text: NamedText
): Promise<{ readonly compiled: Named<HostTensor>; readonly eager: Named<HostTensor> }> => ({
  compiled: await Effect.runPromise(Effect.provide(once(name, inputs, text), OnnxBackend.layer({ threads: 2 }))),
  eager: await Effect.runPromise(Effect.provide(once(name, inputs, text), TfjsBackend.layer("cpu")))
})

/** Fails where two tensors of a name differ by more than `tolerance`, relative to the largest number of the tensor (at least `floor`). */
export const agree = (a: Named<HostTensor>, b: Named<HostTensor>, tolerance: number, floor = 1e-3): void => {
  assert.deepStrictEqual(Object.keys(a).toSorted(), Object.keys(b).toSorted())
  for (const [name, x] of Object.entries(a)) {
    const y = b[name]
    assert.deepStrictEqual(y?.shape, x.shape, `the shape of ${name}`)
    const size = Math.max(floor, ...x.data.map(Math.abs))
    x.data.forEach((v, i) => {
      const gap = Math.abs(v - (y?.data[i] ?? Number.NaN))
      assert.isTrue(gap <= tolerance * size, `${name}[${i}]: ${v} against ${y?.data[i]}`)
    })
  }
}
