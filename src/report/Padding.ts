const segmenter = new Intl.Segmenter("en")

// letters, and the dots, dashes, arrows and minus signs of this program: one character each, told without dividing the text
const plain = /^[\x20-\x7e\xb7\u2010-\u2027\u2190-\u21ff\u2212]*$/

/** How many characters a reader sees in a text. */
export const length = (text: string): number =>
  plain.test(text) ? text.length : Array.from(segmenter.segment(text)).length

/**
 * The text with spaces behind it, up to so many characters.
 *
 * @example
 * ```ts
 * import { Padding } from "homodistil/report"
 * assert.equal(Padding.end("é", 3), "é  ")
 * assert.equal(Padding.start("−1", 3), " −1")
 * ```
 */
export const end = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - length(text)))

/** The text with spaces before it, up to so many characters. */
export const start = (text: string, width: number): string => " ".repeat(Math.max(0, width - length(text))) + text
