/** The twelve universal parts of speech (Petrov, Das & McDonald 2012), in the order of their class numbers. */
export const universalTags = [
  "NOUN",
  "VERB",
  "ADJ",
  "ADV",
  "PRON",
  "DET",
  "ADP",
  "NUM",
  "CONJ",
  "PRT",
  ".",
  "X"
] as const

/** One of the twelve universal parts of speech. */
export type UniversalTag = (typeof universalTags)[number]

/** The Brown tags behind each universal tag, without the suffixes that `universalTag` strips. */
const members: Readonly<Record<UniversalTag, string>> = {
  NOUN: "nn nns np nps nr nrs",
  VERB: "vb vbd vbg vbn vbz be bed bedz beg bem ben ber bez do dod doz hv hvd hvg hvn hvz md",
  // post-determiners (many, other, last) and ordinals behave as adjectives
  ADJ: "jj jjr jjs jjt ap od",
  // with degree words (very, so), the wh-adverbs and not
  ADV: "rb rbr rbt rn ql qlp wql wrb *",
  // with nominal pronouns (everything), who and whom, mine and yours, and existential there
  PRON: "pps ppss ppo pp ppl ppls pp$$ pn wps wpo ex",
  // articles, this and some, both and all, possessive my and whose, which
  DET: "at dt dti dts dtx abl abn abx pp$ wdt wp$",
  ADP: "in",
  NUM: "cd",
  // coordinating and subordinating
  CONJ: "cc cs",
  // verb particles and the to of an infinitive
  PRT: "rp to",
  ".": ". , : ( ) -- ' `` ''",
  // interjections; foreign words join below
  X: "uh nil"
}

const table: ReadonlyMap<string, UniversalTag> = new Map(
  universalTags.flatMap((tag) => members[tag].split(" ").map((brown) => [brown, tag] as const))
)

/**
 * The universal part of speech of a Brown tag.
 *
 * A foreign word (`fw-…`) is X. The marks for title, headline and citation (`-tl`, `-hl`, `-nc`) say nothing of
 * the part of speech and are dropped; of a contraction (`pps+bez`, he's) the first component counts; a negated
 * verb (`md*`, can't) stays a verb and a possessive (`np$`) keeps the class of its stem, except that `pp$` (my)
 * and `wp$` (whose) are determiners. What is not in the tag set of Francis & Kučera (1979) is X.
 *
 * @example
 * ```ts
 * import { universalTag } from "homodistil/data"
 * assert.deepEqual(["nn-tl", "md*", "ppss+bem", "pp$", "*", "fw-in", "--"].map(universalTag), ["NOUN", "VERB", "PRON", "DET", "ADV", "X", "."])
 * ```
 */
export const universalTag = (brown: string): UniversalTag => {
  const lower = brown.toLowerCase()
  if (lower.startsWith("fw-")) return "X"
  const stem = lower.replace(/(?<=.)(-(tl?|hl?|nc?))+$/, "").replace(/(?<=.)\+.*$/, "")
  return table.get(stem) ?? table.get(stem.replace(/\*$/, "")) ?? table.get(stem.replace(/\$$/, "")) ?? "X"
}

const classes: ReadonlyMap<UniversalTag, number> = new Map(universalTags.map((tag, index) => [tag, index]))

/** The class number of a universal tag: its place in `universalTags`. */
export const tagClass = (tag: UniversalTag): number => classes.get(tag) ?? universalTags.length - 1
