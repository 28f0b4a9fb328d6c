import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { evaluateAll, type HostTensor, Tensor, tf } from "homodistil/backend"
import type { DistillationLoss, LossInput, TappedOutputs } from "homodistil/loss"
import * as Loss from "homodistil/loss"
import { Seed, Spec } from "homodistil/spec"
import { agree, bothWays, type Named } from "./bothWays.ts"
import { pick, runs, uniform } from "./random.ts"

/** A loss under the laws, and whether it vanishes where the student is the teacher (the masked-language-model loss does not). */
export interface LossCase {
  readonly loss: DistillationLoss
  readonly zeroAtTeacher: boolean
}

/** A law: fails where the loss breaks it. */
export type LossLaw = (subject: LossCase) => Promise<void>

/** Two layers, two heads, two rows of three tokens, three masked positions, student width 3, teacher width 4, five words. */
export const size = { layers: 2, heads: 2, rows: 2, length: 3, masked: 3, student: 3, teacher: 4, words: 5 }

const side = (name: string, seed: Seed.Seed, width: number): Named<HostTensor> => {
  const { layers, heads, rows, length, masked, words } = size
  const states = (key: string) => uniform(Seed.child(seed, `${name} ${key}`), [rows * length, width], 2)
  const scores = (i: number) => uniform(Seed.child(seed, `${name} scores`, i), [rows, heads, length, length], 4)
  const values = (i: number) => uniform(Seed.child(seed, `${name} values`, i), [rows, heads, length, width - 1], 2)
  const perLayer = Array.from({ length: layers }, (_, i) => ({
    [`${name} hidden ${i}`]: states(`hidden ${i}`),
    [`${name} scores ${i}`]: scores(i),
    [`${name} values ${i}`]: values(i)
  }))
  return perLayer.reduce<Named<HostTensor>>((all, layer) => ({ ...all, ...layer }), {
    [`${name} embedding`]: states("embedding"),
    [`${name} logits`]: uniform(Seed.child(seed, `${name} logits`), [masked, words], 3)
  })
}

/** The attention mask of `size`: the last token of the second row is padding. */
export const padded = Tensor.host([1, 1, 1, 1, 1, 0], [2, 3])

/** What a loss looks at, by name: a function of the seed; `attention` only where asked for. */
export const draw = (seed: number, withPadding: boolean): Named<HostTensor> => {
  const root = Seed.make(seed)
  return {
    ...side("student", root, size.student),
    ...side("teacher", root, size.teacher),
    labels: Tensor.host(Seed.integers(Seed.child(root, "labels"), size.masked, size.words), [size.masked], "int32"),
    projection: uniform(Seed.child(root, "projection"), [size.student, size.teacher]),
    ...(withPadding ? { attention: padded } : {})
  }
}

const defined = <A>(value: A | undefined, name = "a tensor"): A => {
  if (value === undefined) throw new RangeError(`there is no ${name}`)
  return value
}

const outputsOf = (name: string, x: Named<tf.Tensor>): TappedOutputs => {
  const layers = (key: string) => Array.from({ length: size.layers }, (_, i) => defined(x[`${name} ${key} ${i}`]))
  return {
    embedding: defined(x[`${name} embedding`]),
    hidden: layers("hidden"),
    scores: layers("scores"),
    values: layers("values"),
    logits: defined(x[`${name} logits`])
  }
}

/** The named tensors as a loss takes them; without `projection` the student's states stay as they are. */
export const inputOf = (x: Named<tf.Tensor>): LossInput => {
  const { projection, attention } = x
  const project = (states: tf.Tensor) => (projection === undefined ? states : tf.matMul(states, projection))
  return {
    student: outputsOf("student", x),
    teacher: outputsOf("teacher", x),
    labels: defined(x["labels"]),
    ...(attention === undefined ? {} : { attention }),
    projections: { embedding: project, hidden: project }
  }
}

/** A loss's total and terms as numbers. */
export const value = async (loss: DistillationLoss, x: Named<HostTensor>): Promise<Named<number>> => {
  const made = await Effect.runPromise(
    evaluateAll(x, (tensors) => {
      const { total, terms } = loss.apply(inputOf(tensors))
      return { total, ...terms }
    })
  )
  return Object.fromEntries(Object.entries(made).map(([name, { data }]) => [name, data[0] ?? Number.NaN]))
}

const total = async (loss: DistillationLoss, x: Named<HostTensor>): Promise<number> =>
  defined((await value(loss, x))["total"])

const close = (a: number, b: number, tolerance = 1e-5): void =>
  assert.isTrue(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b)), `${a} against ${b}`)

const forInputs = (check: (x: Named<HostTensor>, seed: number) => Promise<void>): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.nat({ max: 1e6 }), fc.boolean(), (seed, withPadding) => check(draw(seed, withPadding), seed)),
    runs
  )

const change = (x: Named<HostTensor>, f: (name: string, value: HostTensor) => HostTensor): Named<HostTensor> =>
  Object.fromEntries(Object.entries(x).map(([name, tensor]) => [name, f(name, tensor)]))

/** The total is finite and not below 0, and so is every term; the terms are those declared. */
export const lossIsNotNegative: LossLaw = ({ loss }) =>
  forInputs(async (x) => {
    const { total: whole, ...terms } = await value(loss, x)
    assert.deepStrictEqual(Object.keys(terms).toSorted(), loss.terms.toSorted())
    for (const each of [defined(whole), ...Object.values(terms)])
      assert.isTrue(Number.isFinite(each) && each >= -1e-6, `a loss of ${each}`)
    Spec.toJson(loss.spec)
  })

/** The loss is 0 where the student is the teacher. */
export const teacherIsPerfect: LossLaw = ({ loss, zeroAtTeacher }) =>
  forInputs(async ({ projection: _, ...x }) => {
    if (!zeroAtTeacher) return
    const same = change(x, (name, tensor) => x[name.replace("student", "teacher")] ?? tensor)
    close(await total(loss, same), 0, 1e-6)
  })

/** What stands at padded positions never matters. */
export const paddingNeverMatters: LossLaw = ({ loss }) =>
  forInputs(async (_, seed) => {
    const [x, other] = [draw(seed, true), draw(seed + 1, true)]
    const { heads, length } = size
    const isPadding = (name: string, i: number, width: number): boolean => {
      if (name.includes("scores")) {
        const [row, query, key] = [
          Math.floor(i / (heads * length * length)),
          Math.floor(i / length) % length,
          i % length
        ]
        return [query, key].some((token) => padded.data[row * length + token] === 0)
      }
      if (name.includes("values")) {
        const [row, token] = [Math.floor(i / (width * length * heads)), Math.floor(i / width) % length]
        return padded.data[row * length + token] === 0
      }
      return /embedding|hidden/.test(name) && padded.data[Math.floor(i / width)] === 0
    }
    const filled = change(x, (name, tensor) => ({
      ...tensor,
      data: tensor.data.map((v, i) => (isPadding(name, i, tensor.shape.at(-1) ?? 1) ? (other[name]?.data[i] ?? 0) : v))
    }))
    assert.strictEqual(await total(loss, filled), await total(loss, x))
  })

/** A mask that hides nothing is no mask. */
export const fullMaskIsNone: LossLaw = ({ loss }) =>
  forInputs(async (_, seed) => {
    const x = draw(seed, false)
    close(await total(loss, { ...x, attention: Tensor.host([1, 1, 1, 1, 1, 1], [2, 3]) }), await total(loss, x))
  })

/** The order of a batch's rows, and of its masked positions, does not matter. */
export const orderNeverMatters: LossLaw = ({ loss }) =>
  forInputs(async (x, seed) => {
    const positions = [...Seed.permutation(Seed.make(seed), size.masked)]
    const swapped = change(x, (name, tensor) => {
      const rows = tensor.shape[0] ?? 1
      const width = tensor.data.length / rows
      const flat = { ...tensor, shape: [rows, width] }
      const columns = Array.from({ length: width }, (_, i) => i)
      const order =
        name === "projection"
          ? [0, 1, 2]
          : /logits|labels/.test(name)
            ? positions
            : Array.from({ length: rows }, (_, i) => (i + rows / 2) % rows)
      return { ...pick(flat, order, columns), shape: tensor.shape }
    })
    close(await total(loss, swapped), await total(loss, x))
  })

/** The loss touches no tap but those it declares, and none of the teacher's where it says so. */
export const onlyDeclaredTaps: LossLaw = async ({ loss }) => {
  const touched: Array<string> = []
  const watched = (outputs: TappedOutputs, side = ""): TappedOutputs => ({
    get embedding() {
      touched.push(`${side}embedding`)
      return outputs.embedding
    },
    get hidden() {
      touched.push(`${side}hidden`)
      return outputs.hidden
    },
    get scores() {
      touched.push(`${side}scores`)
      return outputs.scores
    },
    get values() {
      touched.push(`${side}values`)
      return outputs.values
    },
    get logits() {
      touched.push(`${side}logits`)
      return outputs.logits
    }
  })
  await Effect.runPromise(
    evaluateAll(draw(3, true), (tensors) => {
      const input = inputOf(tensors)
      return loss.apply({ ...input, student: watched(input.student), teacher: watched(input.teacher, "teacher ") })
        .total
    })
  )
  const byTeacher = touched.some((tap) => tap.startsWith("teacher "))
  assert.isFalse(byTeacher && loss.teacherFree === true, "it says that it never looks at the teacher")
  const undeclared = touched.filter((tap) => !loss.taps.some((declared) => declared === tap.replace("teacher ", "")))
  assert.deepStrictEqual(undeclared, [])
}

/** Weights multiply totals, and sums add them in any order and grouping. */
export const sumsAreSums: LossLaw = ({ loss }) =>
  forInputs(async (x) => {
    const [a, b, c] = [loss, Loss.scale(0.5, Loss.kl()), Loss.hidden()]
    const [ta, tb, tc] = [await total(a, x), await total(b, x), await total(c, x)]
    close(await total(Loss.scale(3, a), x), 3 * ta)
    close(await total(Loss.sum(a, b, c), x), ta + tb + tc)
    close(await total(Loss.sum(c, Loss.sum(b, a), Loss.none), x), ta + tb + tc)
  })

const studentNames = (x: Named<HostTensor>): ReadonlyArray<string> =>
  Object.keys(x)
    .filter((name) => name.startsWith("student") || name === "projection")
    .toSorted()

/** The value and the gradients with respect to everything the student makes, as one text. */
const withGradients =
  (loss: DistillationLoss, names: ReadonlyArray<string>) =>
  (x: Named<tf.Tensor>): Named<tf.Tensor> => {
    const { value: at, grads } = tf.valueAndGrads((...given: Array<tf.Tensor>) => {
      const input = inputOf({ ...x, ...Object.fromEntries(names.map((name, i) => [name, defined(given[i])])) })
      // a loss need not look at everything; what it leaves out has a gradient of 0
      const nothing = given.map((t) => tf.mul(tf.sum(t), 0))
      return tf.add(tf.reshape(loss.apply(input).total, []), tf.addN(nothing))
    })(names.map((name) => defined(x[name])))
    return { value: at, ...Object.fromEntries(names.map((name, i) => [`d ${name}`, defined(grads[i])])) }
  }

/**
 * Along a random direction, the gradient is the slope between two nearby points; as far as the slope is that of points half as far apart, which it
 * is not where a loss bends sharply (a cosine of states that are nearly 0).
 */
export const gradientIsTheSlope: LossLaw = ({ loss }) =>
  forInputs(async (x, seed) => {
    const names = studentNames(x)
    const grads: Named<HostTensor> = await Effect.runPromise(evaluateAll(x, withGradients(loss, names)))
    const direction = Object.fromEntries(
      names.map((name) => [name, uniform(Seed.child(Seed.make(seed), `direction ${name}`), x[name]?.shape ?? [])])
    )
    const moved = (by: number) =>
      change(x, (name, tensor) => {
        const along = direction[name]
        return along === undefined
          ? tensor
          : { ...tensor, data: tensor.data.map((v, i) => v + by * (along.data[i] ?? 0)) }
      })
    const slope = async (step: number) =>
      ((await total(loss, moved(step))) - (await total(loss, moved(-step)))) / (2 * step)
    const [far, near] = [await slope(1 / 128), await slope(1 / 256)]
    const dot = names.reduce((sum, name) => {
      const along = direction[name]?.data ?? []
      return [...(grads[`d ${name}`]?.data ?? [])].reduce((inner, g, i) => inner + g * (along[i] ?? 0), sum)
    }, 0)
    const bend = Math.abs(far - near) / Math.max(1, Math.abs(near), Math.abs(dot))
    close(near, dot, 2e-3 + bend)
  })

/** The compiled loss and its gradients agree with the eager ones. */
export const compiledIsEager: LossLaw = async ({ loss }) => {
  for (const withPadding of [false, true]) {
    const x = draw(5, withPadding)
    const { compiled, eager } = await bothWays(loss.spec.name, x, withGradients(loss, studentNames(x)))
    agree(compiled, eager, 1e-4)
  }
}

/** All laws of losses, by name. */
export const lossLaws: { readonly [law: string]: LossLaw } = {
  lossIsNotNegative,
  teacherIsPerfect,
  paddingNeverMatters,
  fullMaskIsNone,
  orderNeverMatters,
  onlyDeclaredTaps,
  sumsAreSums,
  gradientIsTheSlope,
  compiledIsEager
}
