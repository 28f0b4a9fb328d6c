import {
  mask,
  type MaskedBatch,
  type PieceIds,
  type Rows,
  type SpecialIds,
  type TrainingBatches
} from "../data/index.ts"
import { Seed } from "../spec/index.ts"

/** The texts a trace can be recorded on: the corpus as it is, with padded rows, or with few different pieces. */
export const kinds = ["corpus", "padded", "repeated"] as const

/** One of `kinds`. */
export type Kind = (typeof kinds)[number]

/** How many different pieces a `repeated` text has. */
const fewPieces = 8

/** Row r of R ends r / 2R of its length earlier, so the masked places are as many in each batch. */
const pad = ({ rows, length, ids }: Rows, special: SpecialIds): Rows => ({
  rows,
  length,
  ids: ids.map((id, i) => {
    const [row, column] = [Math.floor(i / length), i % length]
    const end = length - Math.floor((row * length) / (2 * rows))
    return column >= end ? special.pad : column === end - 1 ? special.sep : id
  })
})

const repeat = (text: Rows, { special, ordinary }: PieceIds): Rows => {
  const kept = new Set(Object.values(special))
  return { ...text, ids: text.ids.map((id) => (kept.has(id) ? id : (ordinary[id % fewPieces] ?? id))) }
}

/**
 * The batches of a trace, by (seed, step): those of training for `corpus`; for `padded` with rows of different lengths; for `repeated`
 * with every piece replaced by one of eight, which is where a kernel that adds up gradients of equal tokens goes wrong.
 *
 * @example
 * ```ts
 * import { TraceBatches } from "homodistil/experiment"
 * import { pieceIdsOf } from "homodistil/data"
 * import { Seed } from "homodistil/spec"
 * const pieces = pieceIdsOf(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...Array.from({ length: 95 }, (_, n) => `w${n}`)])
 * const clean = () => ({ rows: 2, length: 8, ids: Int32Array.of(2, 90, 91, 92, 93, 94, 95, 3, 2, 80, 81, 82, 83, 84, 85, 3) })
 * const padded = TraceBatches.of("padded", { clean, pieces, maskRate: 0.5 })(Seed.make(0), 0)
 * assert.deepEqual([...(padded.attention ?? [])].slice(8), [1, 1, 1, 1, 1, 1, 0, 0])
 * ```
 */
export const of =
  (kind: Kind, o: Pick<TrainingBatches, "clean"> & { readonly pieces: PieceIds; readonly maskRate: number }) =>
  (seed: Seed.Seed, step: number): MaskedBatch => {
    const text = o.clean(seed, step)
    const shown = kind === "padded" ? pad(text, o.pieces.special) : kind === "repeated" ? repeat(text, o.pieces) : text
    return mask(shown, { rate: o.maskRate, pieces: o.pieces, seed: Seed.child(seed, "mask", step) })
  }
