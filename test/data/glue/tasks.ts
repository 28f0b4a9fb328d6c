import {
  type LabelledText,
  taskOf,
  type TextLabels,
  type TextMetric,
  type TextSplit,
  type TextTask
} from "../../../src/data/index.ts"
import { Digest, Seed } from "../../../src/spec/index.ts"

/** What a toy task is: how many texts, pairs or not, and what their labels are. */
export interface ToyOptions {
  readonly seed?: number
  readonly train?: number
  readonly dev?: ReadonlyArray<number>
  readonly pair?: boolean
  readonly labels?: TextLabels
  readonly metrics?: ReadonlyArray<TextMetric>
  /** The longest text, in words. */
  readonly longest?: number
}

/** The words of text `n` of a split, `w5` … `w19`, one piece each. */
const words = (seed: Seed.Seed, longest: number): ReadonlyArray<number> => {
  const size = 1 + (Seed.integers(seed, 1, longest)[0] ?? 0)
  return [...Seed.integers(Seed.child(seed, "words"), size, 15)].map((n) => n + 5)
}

const written = (numbers: ReadonlyArray<number>): string => numbers.map((n) => `w${n}`).join(" ")

/** A task that a small model learns: whether a text begins with a word of the upper half, or the number of its first word. */
export const toyTask = (o: ToyOptions = {}): TextTask => {
  const { seed = 0, train = 40, dev = [20], pair = false, longest = 4, metrics = ["accuracy"] } = o
  const labels: TextLabels = o.labels ?? { kind: "classes", classes: ["low", "high"] }
  const split = (name: string, count: number): TextSplit => {
    const texts = Array.from({ length: count }, (_, n): LabelledText => {
      const at = Seed.child(Seed.make(`${seed} ${name}`), "text", n)
      const first = words(at, longest)
      const label = labels.kind === "classes" ? Number((first[0] ?? 0) > 12) : (first[0] ?? 0) / 4
      return {
        first: written(first),
        label,
        ...(pair ? { second: written(words(Seed.child(at, "second"), longest)) } : {})
      }
    })
    const digest = Digest.of(texts.map(({ first, second = "", label }) => [first, second, label]))
    return { name, file: `${name}.tsv`, digest, texts, leftOut: { count: 0, problems: [] } }
  }
  const names = dev.length === 1 ? ["dev"] : dev.map((_, n) => `dev_${n}`)
  return taskOf({
    name: "toy",
    title: "Toy",
    pair,
    labels,
    metrics,
    train: split("train", train),
    dev: dev.map((count, n) => split(names[n] ?? "", count))
  })
}
