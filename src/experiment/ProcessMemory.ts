import type { BertConfig } from "../model/index.ts"
import type * as CellCost from "./CellCost.ts"
import type { Scale } from "./Scale.ts"

/** Bytes that a process holds at most which runs a group of cells: the largest resident set over its life. */
export interface ProcessMemory {
  /** Node, this program, ONNX Runtime, the pieces of Brown, and JavaScript's heap as it grows. */
  readonly program: number
  /** The teacher, once as it was read and once as it is run. */
  readonly teacher: number
  /** The teacher's logits on all held-out rows; its last hidden states where nothing is masked. */
  readonly references: number
  /** Students, all alive: weights and their gradients' sums, moments, what scorers remember, and compiled steps. */
  readonly students: number
  /** Gradients and activations of the one student that computes. */
  readonly step: number
  /** What the memory of earlier, larger shapes is not used again for. */
  readonly outgrown: number
  /** The largest batch of held-out rows. */
  readonly heldOut: number
}

const mebibyte = 2 ** 20

/**
 * What the program holds once a corpus has been read, and what JavaScript's heap grows to besides while examples are made: measured, as is
 * all that is fitted here, on Linux with Node 24, of one smoke cell, one micro cell and groups of eight.
 */
const program = { read: 340 * mebibyte, grown: { small: 60 * mebibyte, full: 170 * mebibyte } }

/** A compiled step: its graph in the runtime and here. */
const compiled = 3 * mebibyte

/** The share of the students' and the step's memory that comes on top once shapes change. */
const waste = 0.6

/** Arrays of the size of the logits that are alive while held-out rows are measured. */
const logitsAlive = 5

const float = 4

/**
 * The memory of a process that runs cells side by side, as a scale measures them: what they share is there once, and one student computes
 * at a time.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * import { CellCost, ProcessMemory, Scale } from "homodistil/experiment"
 * import { BertConfig } from "homodistil/model"
 * const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil())))
 * const cost = CellCost.of(plan, BertConfig.micro)
 * const [one, eight] = [1, 8].map((cells) =>
 *   ProcessMemory.bytes(ProcessMemory.of(Array.from({ length: cells }, () => cost), BertConfig.micro, Scale.micro))
 * )
 * // measured: 0.9 GiB for one cell
 * assert.ok(one !== undefined && eight !== undefined && one > 0.8 * 2 ** 30 && one < 1.1 * 2 ** 30 && eight < 2 * one)
 * ```
 */
export const of = (
  costs: ReadonlyArray<CellCost.CellCost>,
  teacher: BertConfig.BertConfig,
  scale: Pick<Scale, "small" | "curveRows" | "testRows" | "testBatch">
): ProcessMemory => {
  const most = (of: (cost: CellCost.CellCost) => number): number => Math.max(0, ...costs.map(of))
  const logits = (rows: number): number =>
    float * teacher.vocabSize * most(({ batch }) => (rows * batch.masked) / batch.rows)
  const states = (rows: number): number =>
    float * teacher.hidden * most(({ batch }) => (batch.masked === 0 ? rows * batch.length : 0))
  const students = costs.reduce(
    (sum, { memory }) => sum + 2 * memory.weights + memory.moments + memory.slots + compiled,
    0
  )
  const step = most(({ memory }) => memory.gradients + memory.activations)
  const outgrown = costs.some(({ stretches }) => stretches.length > 1) ? waste * (students + step) : 0
  return {
    program: program.read + program.grown[scale.small ? "small" : "full"],
    teacher: 2 * most(({ memory }) => memory.teacher),
    references: logits(scale.curveRows + scale.testRows) + states(scale.curveRows + scale.testRows),
    students,
    step,
    outgrown,
    heldOut: logitsAlive * logits(scale.testBatch)
  }
}

/** All bytes of a process. */
export const bytes = ({ program, teacher, references, students, step, outgrown, heldOut }: ProcessMemory): number =>
  program + teacher + references + students + step + outgrown + heldOut

/** The bytes of the process that starts others and runs no cell. */
export const starter = 320 * mebibyte
