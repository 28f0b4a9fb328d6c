import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Backend, type CompileError, type ExecutionError, Tensor, tf, transfer } from "../backend/index.ts"

/** How fast a backend multiplies matrices here: floating-point operations a second, of each product that was timed. */
export interface Calibration {
  readonly products: ReadonlyArray<{ readonly name: string; readonly rate: number }>
  /** The best of them. */
  readonly rate: number
}

/** Products as a step has them, [rows, inner] × [inner, columns]. */
const sizes: ReadonlyArray<readonly [number, number, number]> = [
  [1024, 128, 512],
  [1024, 384, 1536],
  [1024, 768, 768]
]

/** Each product runs so many times at least, and for so many seconds; the first run does not count. */
const [repeats, patience] = [5, 0.15]

const time = ([rows, inner, columns]: readonly [number, number, number]) =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const name = `${rows}x${inner}x${columns}`
    const product = yield* backend.compile(
      `calibration ${name}`,
      { a: Tensor.float(rows, inner), b: Tensor.float(inner, columns) },
      ({ a, b }) => ({ c: tf.matMul(tf.reshape(a, [rows, inner]), tf.reshape(b, [inner, columns])) })
    )
    const ones = (...shape: ReadonlyArray<number>) =>
      Tensor.host(new Float32Array(Tensor.elements(shape)).fill(1), shape)
    const operations = 2 * rows * inner * columns
    const once = (inputs: Parameters<typeof product.run>[0]) =>
      Effect.gen(function* () {
        const began = yield* Clock.currentTimeNanos
        const output = yield* product.run(inputs)
        const ended = yield* Clock.currentTimeNanos
        yield* transfer.release(backend, output)
        return Number(ended - began) / 1e9
      })
    const rate = yield* Effect.acquireUseRelease(
      transfer.upload(backend, { a: ones(rows, inner), b: ones(inner, columns) }),
      (inputs) =>
        Effect.gen(function* () {
          yield* once(inputs)
          let [spent, best] = [0, Infinity]
          // a clock that stands still, as in tests, must not keep it here
          for (let i = 0; i < repeats || (i < 200 && spent < patience); i++) {
            const seconds = yield* once(inputs)
            spent += seconds
            best = Math.min(best, seconds)
          }
          return operations / Math.max(best, 1e-9)
        }),
      (inputs) => transfer.release(backend, inputs)
    )
    return { name, rate }
  }).pipe(Effect.scoped)

/**
 * Times a few matrix products on the backend that is provided, for less than a second, and takes the best run of each.
 *
 * Fails as compiling and running do.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { OnnxBackend } from "homodistil/backend"
 * import { Calibration } from "homodistil/experiment"
 * const { rate } = await Effect.runPromise(Calibration.measure.pipe(Effect.provide(OnnxBackend.layer({ threads: 1 }))))
 * assert.ok(rate > 0)
 * ```
 */
export const measure: Effect.Effect<Calibration, CompileError | ExecutionError, Backend> = Effect.map(
  Effect.forEach(sizes, time),
  (products) => ({ products, rate: Math.max(...products.map(({ rate }) => rate)) })
)
