import { ConfigError, Seed } from "../spec/index.ts"
import type { PieceIds, SpecialIds } from "./wordpiece/PieceIds.ts"

/** Rows of pieces as they stand in the text: `ids` [rows * length], each row `[CLS] … [SEP]` and then any padding. */
export interface Rows {
  readonly rows: number
  readonly length: number
  readonly ids: Int32Array
}

/**
 * What a language-model step reads.
 *
 * `ids` [rows * length] are the pieces shown; `attention` [rows * length] is 1 on pieces and 0 on padding, and
 * absent when nothing is padded; `positions` [N] are the places to predict, row * length + column, in rising order;
 * `labels` [N] the ids that belong there.
 */
export interface MaskedBatch {
  readonly rows: number
  readonly length: number
  readonly ids: Int32Array
  readonly attention: Float32Array | undefined
  readonly positions: Int32Array
  readonly labels: Int32Array
}

/** 1 on pieces, 0 on padding [rows * length]; absent when nothing is padded. */
export const attentionOf = (ids: Int32Array, { pad }: Pick<SpecialIds, "pad">): Float32Array | undefined =>
  ids.includes(pad) ? Float32Array.from(ids, (id) => (id === pad ? 0 : 1)) : undefined

/** How many of a row's pieces are masked: the share `rate` of them, rounded. */
export const maskedCount = (rate: number, pieces: number): number => Math.round(rate * pieces)

/**
 * Chooses exactly the share `rate` of each row's pieces (rounded) and hides them as BERT does: of these 80 % become
 * [MASK], 10 % a random ordinary piece, 10 % stay (Devlin et al. 2019, section 3.1). [CLS], [SEP] and padding are never chosen; at rate 0 every piece is shown and none asked for.
 *
 * A function of rows and seed alone: give it `Seed.child(seed, "mask", step)`. Throws `ConfigError` when `rate` is
 * outside [0, 1] or there is no ordinary piece.
 *
 * @example
 * ```ts
 * import { mask, pieceIdsOf } from "homodistil/data"
 * import { Seed } from "homodistil/spec"
 * const pieces = pieceIdsOf(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "d"])
 * const rows = { rows: 1, length: 6, ids: Int32Array.of(2, 5, 6, 7, 8, 3) }
 * const batch = mask(rows, { rate: 0.5, pieces, seed: Seed.make(0) })
 * assert.equal(batch.positions.length, 2)
 * assert.deepEqual([...batch.labels], [...batch.positions].map((at) => rows.ids[at]))
 * ```
 */
export const mask = (
  rows: Rows,
  options: { readonly rate: number; readonly pieces: PieceIds; readonly seed: Seed.Seed }
): MaskedBatch => {
  const {
    rate,
    pieces: { special, ordinary },
    seed
  } = options
  check(rate, ordinary.length)
  const fixed = (id: number): boolean => id === special.pad || id === special.cls || id === special.sep
  const { ids, length } = rows
  const chosen = new Int32Array(rows.rows + 1)
  for (let row = 0; row < rows.rows; row++) {
    let pieces = 0
    for (let at = row * length; at < (row + 1) * length; at++) if (!fixed(ids[at] ?? 0)) pieces++
    chosen[row + 1] = (chosen[row] ?? 0) + maskedCount(rate, pieces)
  }
  const count = chosen[rows.rows] ?? 0
  // two words a masked place: which one, and what is shown there
  const random = Seed.words(seed, 2 * count)
  const positions = new Int32Array(count)
  const candidates = new Int32Array(length)
  for (let row = 0; row < rows.rows; row++) {
    let pieces = 0
    for (let at = row * length; at < (row + 1) * length; at++) if (!fixed(ids[at] ?? 0)) candidates[pieces++] = at
    const first = chosen[row] ?? 0
    const last = chosen[row + 1] ?? 0
    for (let n = first; n < last; n++) {
      // the first steps of a Fisher-Yates shuffle
      const i = n - first
      const j = i + Math.floor(((random[n] ?? 0) / 2 ** 32) * (pieces - i))
      positions[n] = candidates[j] ?? 0
      candidates[j] = candidates[i] ?? 0
    }
    positions.subarray(first, last).sort()
  }
  const shown = Int32Array.from(ids)
  const labels = new Int32Array(count)
  for (let n = 0; n < count; n++) {
    const at = positions[n] ?? 0
    labels[n] = ids[at] ?? 0
    const draw = (random[count + n] ?? 0) / 2 ** 32
    if (draw < 0.8) shown[at] = special.mask
    else if (draw < 0.9) shown[at] = ordinary[Math.floor((draw - 0.8) * 10 * ordinary.length)] ?? 0
  }
  return { rows: rows.rows, length, ids: shown, attention: attentionOf(ids, special), positions, labels }
}

/**
 * The batch of a causal language model: every piece is shown, and each column but the last predicts the next one.
 *
 * The model must look only backwards. Places whose next piece is padding are left out.
 */
export const causal = (rows: Rows, special: Pick<SpecialIds, "pad">): MaskedBatch => {
  const { ids, length } = rows
  const attention = attentionOf(ids, special)
  const all = Int32Array.from({ length: rows.rows * (length - 1) }, (_, n) => n + Math.floor(n / (length - 1)))
  const positions = attention === undefined ? all : all.filter((at) => ids[at + 1] !== special.pad)
  return { ...rows, attention, positions, labels: positions.map((at) => ids[at + 1] ?? 0) }
}

const check = (rate: number, ordinary: number): void => {
  const problems = [
    ...(rate >= 0 && rate <= 1
      ? []
      : [
          {
            key: "mask rate",
            value: String(rate),
            bound: "a number in [0, 1]",
            remedy: "BERT masks .15 of the pieces, the micro teacher's pre-training .25"
          }
        ]),
    ...(ordinary > 0
      ? []
      : [
          {
            key: "ordinary pieces",
            value: "0",
            bound: "at least one, to be shown in place of another",
            remedy: "give the ids of the vocabulary (pieceIdsOf)"
          }
        ])
  ]
  if (problems.length > 0) throw new ConfigError({ problems })
}
