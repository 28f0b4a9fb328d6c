import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { assert } from "@effect/vitest"
import { evaluateAll, type HostTensor, Tensor, type tf } from "homodistil/backend"
import type { ImportanceScorer } from "homodistil/importance"
import { Seed, Spec } from "homodistil/spec"
import { agree, bothWays, type Named } from "./bothWays.ts"
import { pick, runs, uniform } from "./random.ts"

/** A scorer under the laws, and how its scores grow with weights and gradients. */
export interface ScorerCase {
  readonly scorer: ImportanceScorer
  /** Weights times c give scores times c^degree.param, gradients times c scores times c^degree.grad. */
  readonly degree: { readonly param: number; readonly grad: number }
}

/** A law: fails where the scorer breaks it. */
export type ScorerLaw = (subject: ScorerCase) => Promise<void>

/** What a parameter of shape [4, 3] has seen: weights and gradients step by step, and the random numbers of its scoring. */
export interface History {
  readonly params: ReadonlyArray<HostTensor>
  readonly grads: ReadonlyArray<HostTensor>
  readonly noise: HostTensor
}

/** A history of `steps` steps, a function of a seed. */
export const history = (seed: number, steps: number): History => {
  const root = Seed.make(seed)
  const draw = (purpose: string) =>
    Array.from({ length: steps }, (_, step) => uniform(Seed.child(root, purpose, step), [4, 3], 2))
  return { params: draw("param"), grads: draw("grad"), noise: uniform(Seed.child(root, "noise"), [4, 3]) }
}

const each = (h: History, f: (x: HostTensor) => HostTensor): History => ({
  params: h.params.map(f),
  grads: h.grads.map(f),
  noise: f(h.noise)
})

const times = (c: number, x: HostTensor): HostTensor => ({ ...x, data: Float32Array.from(x.data, (v) => c * v) })

const zeros = (like: HostTensor): HostTensor => times(0, like)

type Slots = { readonly [slot: string]: HostTensor }

const record = <A>(list: ReadonlyArray<A>): { readonly [key: string]: A } =>
  Object.fromEntries(list.map((x, i) => [String(i), x]))

/** The slots and scores after a history, evaluated eagerly; `from` are the slots before it, zero unless given. */
export const after = (
  scorer: ImportanceScorer,
  h: History,
  from: Slots = Object.fromEntries(scorer.slots.map((slot) => [slot, zeros(h.noise)])),
  firstStep = 0
): Promise<{ readonly slots: Slots; readonly scores: HostTensor }> =>
  Effect.runPromise(
    evaluateAll({ params: record(h.params), grads: record(h.grads), noise: h.noise, from }, (x, tensorOf) => {
      let slots: { readonly [slot: string]: tf.Tensor } = x.from
      const last = h.params.length - 1
      for (let step = 0; step <= last; step++)
        slots = scorer.update(slots, {
          param: defined(x.params[step]),
          grad: defined(x.grads[step]),
          scalars: scalarsOf(scorer, firstStep + step, tensorOf)
        })
      return { slots, scores: scorer.score(slots, { param: defined(x.params[last]), noise: () => x.noise }) }
    })
  )

const scalarsOf = (scorer: ImportanceScorer, step: number, tensorOf: (value: HostTensor) => tf.Tensor) =>
  Object.fromEntries(
    Object.entries(scorer.scalars(step)).map(([name, value]) => [name, tensorOf(Tensor.scalar(value))])
  )

const defined = <A>(value: A | undefined): A => {
  if (value === undefined) throw new RangeError("a history has a tensor a step")
  return value
}

const numbers = (x: HostTensor): ReadonlyArray<number> => [...x.data]

const forHistories = (check: (h: History, seed: number) => Promise<void>): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.nat({ max: 1e6 }), fc.integer({ min: 1, max: 7 }), (seed, steps) =>
      check(history(seed, steps), seed)
    ),
    runs
  )

/** Scores are finite and not below 0, and shaped like the parameter. */
export const scoresAreNotNegative: ScorerLaw = ({ scorer }) =>
  forHistories(async (h) => {
    const { scores } = await after(scorer, { ...h, noise: { ...h.noise, data: h.noise.data.map(Math.abs) } })
    assert.deepStrictEqual(scores.shape, [4, 3])
    for (const score of scores.data) assert.isTrue(Number.isFinite(score) && score >= 0, `a score of ${score}`)
  })

/** A scorer keeps exactly the slots it declares, each shaped like the parameter, and feeds the same finite numbers each step. */
export const memoryIsDeclared: ScorerLaw = async ({ scorer }) => {
  const { slots } = await after(scorer, history(1, 3))
  assert.deepStrictEqual(Object.keys(slots).toSorted(), scorer.slots.toSorted())
  assert.lengthOf(new Set(scorer.slots), scorer.slots.length)
  for (const slot of Object.values(slots)) assert.deepStrictEqual(slot.shape, [4, 3])
  const names = Object.keys(scorer.scalars(0))
  for (const step of [0, 1, 9, 10, 1000]) {
    const scalars = scorer.scalars(step)
    assert.deepStrictEqual(Object.keys(scalars), names)
    for (const value of Object.values(scalars)) assert.isTrue(Number.isFinite(value), `a scalar of ${value}`)
  }
  Spec.toJson(scorer.spec)
}

/** Units in another order have their scores in that order. */
export const unitsAreAlike: ScorerLaw = ({ scorer }) =>
  forHistories(async (h, seed) => {
    const rows = [...Seed.permutation(Seed.child(Seed.make(seed), "rows"), 4)]
    const columns = [...Seed.permutation(Seed.child(Seed.make(seed), "columns"), 3)]
    const moved = (x: HostTensor) => pick(x, rows, columns)
    const [straight, permuted] = [await after(scorer, h), await after(scorer, each(h, moved))]
    assert.deepStrictEqual(numbers(permuted.scores), numbers(moved(straight.scores)))
  })

/** Cutting slots, weights and gradients and then going on is going on and then cutting. */
export const pruningCommutes: ScorerLaw = ({ scorer }) =>
  forHistories(async (h, seed) => {
    const part = (x: HostTensor) => pick(x, [0, 2, 3].slice(seed % 2), [0, 2])
    const before = await after(scorer, h)
    const then = history(seed + 1, 3)
    const updatedThenCut = await after(scorer, then, before.slots, h.params.length)
    const cut = Object.fromEntries(Object.entries(before.slots).map(([slot, x]) => [slot, part(x)]))
    const cutThenUpdated = await after(scorer, each(then, part), cut, h.params.length)
    assert.deepStrictEqual(numbers(cutThenUpdated.scores), numbers(part(updatedThenCut.scores)))
  })

/** Where scores grow with gradients, gradients of zero give scores of zero. */
export const noGradientNoScore: ScorerLaw = ({ scorer, degree }) =>
  forHistories(async (h) => {
    if (degree.grad === 0) return
    const { scores } = await after(scorer, { ...h, grads: h.grads.map(zeros) })
    for (const score of scores.data) assert.strictEqual(Math.abs(score), 0)
  })

/** Scores scale as declared with weights and gradients (by powers of two, so without rounding). */
export const scoresScale: ScorerLaw = ({ scorer, degree }) =>
  forHistories(async (h, seed) => {
    const c = [0.25, 0.5, 2, 4][seed % 4] ?? 2
    const { scores } = await after(scorer, h)
    const weights = await after(scorer, { ...h, params: h.params.map((x) => times(c, x)) })
    const gradients = await after(scorer, { ...h, grads: h.grads.map((x) => times(c, x)) })
    assert.deepStrictEqual(numbers(weights.scores), numbers(times(c ** degree.param, scores)))
    assert.deepStrictEqual(numbers(gradients.scores), numbers(times(c ** degree.grad, scores)))
  })

/** A scorer that says its slots hold the last step alone does not look at them. */
export const momentaryForgets: ScorerLaw = ({ scorer }) =>
  forHistories(async (h, seed) => {
    if (scorer.momentary !== true) return
    const past = Object.fromEntries(scorer.slots.map((slot) => [slot, uniform(Seed.make(seed + 7), [4, 3])]))
    const [fresh, old] = [await after(scorer, h), await after(scorer, h, past)]
    assert.deepStrictEqual(numbers(fresh.scores), numbers(old.scores))
  })

/** A scorer that says it treats every weight alone gives a parameter laid out as one vector the same scores. */
export const endToEndIsApart: ScorerLaw = ({ scorer }) =>
  forHistories(async (h) => {
    if (scorer.elementwise !== true) return
    const flat = (x: HostTensor): HostTensor => ({ ...x, shape: [x.data.length] })
    const [apart, endToEnd] = [await after(scorer, h), await after(scorer, each(h, flat))]
    assert.deepStrictEqual(endToEnd.scores.data, apart.scores.data)
  })

/** The compiled update and score agree with the eager ones over several steps. */
export const compiledIsEager: ScorerLaw = async ({ scorer }) => {
  const h = history(11, 5)
  const scalars = h.params.map((_, step) => scorer.scalars(step))
  const inputs = {
    noise: h.noise,
    ...named("param", h.params),
    ...named("grad", h.grads),
    ...Object.fromEntries(scorer.slots.map((slot) => [`slot ${slot}`, zeros(h.noise)])),
    ...Object.fromEntries(
      scalars.flatMap((values, step) =>
        Object.entries(values).map(([n, value]) => [`${n} ${step}`, Tensor.scalar(value)])
      )
    )
  }
  const { compiled, eager } = await bothWays(`score by ${scorer.spec.name}`, inputs, (x) => {
    let slots: Named<tf.Tensor> = Object.fromEntries(scorer.slots.map((slot) => [slot, defined(x[`slot ${slot}`])]))
    scalars.forEach((values, step) => {
      slots = scorer.update(slots, {
        param: defined(x[`param ${step}`]),
        grad: defined(x[`grad ${step}`]),
        scalars: Object.fromEntries(Object.keys(values).map((n) => [n, defined(x[`${n} ${step}`])]))
      })
    })
    const score = scorer.score(slots, { param: defined(x["param 4"]), noise: () => defined(x["noise"]) })
    return { score, ...Object.fromEntries(Object.entries(slots).map(([slot, value]) => [`slot ${slot}`, value])) }
  })
  agree(compiled, eager, 1e-6)
}

const named = (name: string, list: ReadonlyArray<HostTensor>): Named<HostTensor> =>
  Object.fromEntries(list.map((x, i) => [`${name} ${i}`, x]))

/** All laws of scorers, by name. */
export const scorerLaws: { readonly [law: string]: ScorerLaw } = {
  scoresAreNotNegative,
  memoryIsDeclared,
  unitsAreAlike,
  pruningCommutes,
  noGradientNoScore,
  scoresScale,
  momentaryForgets,
  endToEndIsApart,
  compiledIsEager
}
