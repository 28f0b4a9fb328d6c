import * as Schema from "effect/Schema"

/** The vocabulary at hand is not the one that was asked for, or a tokenizer file cannot be used; `key` names the file and the field. */
export class TokenizerMismatch extends Schema.TaggedError<TokenizerMismatch>()("TokenizerMismatch", {
  key: Schema.String,
  expected: Schema.String,
  got: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.key}: expected ${this.expected}, got ${this.got}; ${this.remedy}`
  }
}

/** What stands in a file, as an error shows it: its beginning, on one line. */
export const shown = (text: string, most = 200): string => text.slice(0, most).replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ")
