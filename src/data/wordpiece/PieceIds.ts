import { ConfigError } from "../../spec/index.ts"

/** The ids of the pieces that stand for something else than text. */
export interface SpecialIds {
  readonly pad: number
  readonly unknown: number
  readonly cls: number
  readonly sep: number
  readonly mask: number
}

/** What the ids of a vocabulary mean, as far as a batch must know it. */
export interface PieceIds {
  readonly special: SpecialIds
  /** The ids of ordinary pieces [N], rising: neither special nor kept free (`[unused7]`). A random piece of masking is one of them. */
  readonly ordinary: Int32Array
}

/** The names of the special pieces in a vocabulary. */
export type SpecialNames = { readonly [name in keyof SpecialIds]: string }

/** The names that BERT gave them. */
export const bertNames: SpecialNames = {
  pad: "[PAD]",
  unknown: "[UNK]",
  cls: "[CLS]",
  sep: "[SEP]",
  mask: "[MASK]"
}

const isFree = (piece: string): boolean => /^\[unused\d+\]$/.test(piece)

/**
 * What the ids of a vocabulary mean, by the names of its special pieces; `others` are further ids that are no text.
 *
 * Throws `ConfigError`, which names every special piece that the vocabulary lacks, or that there is no ordinary piece.
 *
 * @example
 * ```ts
 * import { pieceIdsOf } from "homodistil/data"
 * const { special, ordinary } = pieceIdsOf(["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b"])
 * assert.deepEqual([special.mask, [...ordinary]], [5, [6, 7]])
 * ```
 */
export const pieceIdsOf = (
  vocabulary: ReadonlyArray<string>,
  names: SpecialNames = bertNames,
  others: ReadonlyArray<number> = []
): PieceIds => {
  const idOf = (name: string): number => vocabulary.lastIndexOf(name)
  const special = {
    pad: idOf(names.pad),
    unknown: idOf(names.unknown),
    cls: idOf(names.cls),
    sep: idOf(names.sep),
    mask: idOf(names.mask)
  }
  const lacking = Object.values(names).filter((name) => idOf(name) < 0)
  const none = new Set([...Object.values(special), ...others])
  const ordinary = Int32Array.from(vocabulary.keys()).filter((id) => !none.has(id) && !isFree(vocabulary[id] ?? ""))
  if (lacking.length === 0 && ordinary.length > 0) return { special, ordinary }
  throw new ConfigError({
    problems: [
      ...lacking.map((value) => ({
        key: "special piece",
        value,
        bound: `a piece of the vocabulary, which has ${vocabulary.length}`,
        remedy: "give a vocabulary of BERT's kind, or name its own special pieces in tokenizer_config.json"
      })),
      ...(ordinary.length > 0
        ? []
        : [
            {
              key: "vocabulary",
              value: `${vocabulary.length} pieces`,
              bound: "one with ordinary pieces beside the special ones",
              remedy: "give a vocabulary that was trained on text"
            }
          ])
    ]
  })
}
