// The package's own declarations import one another without file endings, which "nodenext" does not follow:
// what this project calls of it, as its version 0.2.0 declares it.
declare module "@huggingface/tokenizers" {
  export class Tokenizer {
    constructor(tokenizer: object, config: object)
    encode(text: string, options?: { add_special_tokens?: boolean }): { ids: Array<number>; tokens: Array<string> }
  }
}
