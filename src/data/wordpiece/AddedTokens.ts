/** A token that is found in a text before it is cut, such as `[MASK]`. */
export interface AddedToken {
  readonly content: string
  readonly id: number
  /** Whether it stands for something else than text. */
  readonly special: boolean
  /** Found only where no letter, digit or mark stands beside it. */
  readonly singleWord: boolean
  /** Found in the text after `normalise`, instead of as it is written. */
  readonly normalised: boolean
}

/** The parts of a text between the tokens in it, and the ids of these. */
export type Parts = ReadonlyArray<string | number>

/** The tokens that begin with the same characters; `token` is the one that ends here. */
interface Branch {
  token?: AddedToken
  readonly next: Map<string, Branch>
}

const grow = (tokens: ReadonlyArray<AddedToken>): Branch => {
  const root: Branch = { next: new Map() }
  // of two that look alike, a special one is found
  for (const token of tokens.toSorted((a, b) => Number(b.special) - Number(a.special))) {
    if (token.content === "") continue
    let branch = root
    for (const unit of token.content.split("")) {
      const next: Branch = branch.next.get(unit) ?? { next: new Map() }
      branch.next.set(unit, next)
      branch = next
    }
    branch.token ??= token
  }
  return root
}

const inWord = "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]"
const endsInWord = new RegExp(`${inWord}$`, "u")
const beginsInWord = new RegExp(`^${inWord}`, "u")

/** The longest token that begins at a place of the text. */
const tokenAt = (root: Branch, text: string, from: number): AddedToken | undefined => {
  let found: AddedToken | undefined
  let branch = root.next.get(text.charAt(from))
  for (let at = from + 1; branch !== undefined; at++) {
    found = branch.token ?? found
    branch = at < text.length ? branch.next.get(text.charAt(at)) : undefined
  }
  return found
}

const standsAlone = (text: string, from: number, to: number): boolean =>
  // two units hold any character
  !endsInWord.test(text.slice(Math.max(0, from - 2), from)) && !beginsInWord.test(text.slice(to, to + 2))

/**
 * Finds added tokens in a text: the leftmost first, of several at one place the longest, as the Hugging Face tokenizers do.
 *
 * @example
 * ```ts
 * import { splitByTokens } from "homodistil/data"
 * const mask = { content: "[MASK]", id: 4, special: true, singleWord: false, normalised: false }
 * assert.deepEqual(splitByTokens([mask])("a [MASK]."), ["a ", 4, "."])
 * ```
 */
export const splitByTokens = (tokens: ReadonlyArray<AddedToken>): ((text: string) => Parts) => {
  const root = grow(tokens)
  return (text) => {
    const parts: Array<string | number> = []
    let begin = 0
    for (let at = 0; at < text.length;) {
      const token = tokenAt(root, text, at)
      const end = at + (token?.content.length ?? 1)
      if (token !== undefined && !(token.singleWord && !standsAlone(text, at, end))) {
        if (begin < at) parts.push(text.slice(begin, at))
        parts.push(token.id)
        begin = end
      }
      at = end
    }
    if (begin < text.length) parts.push(text.slice(begin))
    return parts
  }
}
