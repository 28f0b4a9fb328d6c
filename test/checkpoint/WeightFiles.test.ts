import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as WeightFiles from "../../src/checkpoint/WeightFiles.ts"
import { bitsOf, inFolder } from "./samples.ts"

const sharded = fileURLToPath(new URL("../golden/bert/masked-gelu_pytorch_tanh-sharded/", import.meta.url))
const first = "model-00001-of-00002.safetensors"
const second = "model-00002-of-00002.safetensors"
const words = "bert.embeddings.word_embeddings.weight"

const indexOf = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({ weight_map: Schema.Record(Schema.String, Schema.String) }))
)

/** Opens a copy of the directory after its index was changed. */
const withIndex = (change: (map: { [name: string]: unknown }) => unknown) =>
  inFolder((folder, fs) =>
    Effect.gen(function* () {
      for (const name of [first, second]) yield* fs.copyFile(`${sharded}${name}`, `${folder}/${name}`)
      const index = indexOf(yield* fs.readFileString(`${sharded}${WeightFiles.index}`))
      const changed = change(index.weight_map)
      const text = typeof changed === "string" ? changed : JSON.stringify({ ...index, weight_map: changed })
      yield* fs.writeFileString(`${folder}/${WeightFiles.index}`, text)
      return yield* Effect.match(Effect.scoped(WeightFiles.open(folder)), {
        onSuccess: ({ entries }) => Object.keys(entries).length,
        onFailure: (error) => error.message.replaceAll(folder, "x")
      })
    })
  )

describe("open", () => {
  it("reads tensors from the file that has them", () =>
    inFolder((folder, fs) =>
      Effect.scoped(
        Effect.gen(function* () {
          const files = yield* WeightFiles.open(sharded)
          const { weight_map: map } = indexOf(yield* fs.readFileString(files.file))
          assert.sameMembers(Object.keys(files.entries), Object.keys(map))
          assert.sameMembers([...new Set(Object.values(map))], [first, second])
          // alone in its file, a shard is a file of weights
          for (const [name, shard] of Object.entries(map)) {
            yield* fs.copyFile(`${sharded}${shard}`, `${folder}/model.safetensors`)
            const alone = yield* WeightFiles.open(folder)
            const tensor = yield* files.read(name)
            assert.deepStrictEqual(bitsOf({ tensor }), bitsOf({ tensor: yield* alone.read(name) }))
            assert.isTrue(yield* files.holds(name, tensor))
          }
          assert.throws(() => files.read("none"), /there is no tensor none/)
        })
      )
    ))

  it("takes one file before several, and several where there is an index", async () => {
    assert.isAbove(Number(await withIndex((map) => map)), 20)
  })

  it("follows links to files, of which the cache of Hugging Face is made, and to nothing else", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* fs.copyFile(`${sharded}${WeightFiles.index}`, `${folder}/${WeightFiles.index}`)
        yield* fs.symlink(`${sharded}${first}`, `${folder}/${first}`)
        const linked = (to: string) =>
          Effect.gen(function* () {
            yield* fs.remove(`${folder}/${second}`, { force: true })
            yield* fs.symlink(to, `${folder}/${second}`)
            return yield* Effect.match(Effect.scoped(WeightFiles.open(folder)), {
              onSuccess: ({ entries }) => String(Object.keys(entries).length > 20),
              onFailure: (error) => error.message
            })
          })
        assert.strictEqual(yield* linked(`${sharded}${second}`), "true")
        assert.match(yield* linked(folder), /model-00002-of-00002\.safetensors: cannot be read \(Directory\)/)
        assert.match(
          yield* linked("/dev/zero"),
          /model-00002-of-00002\.safetensors: cannot be read \(CharacterDevice\)/
        )
        assert.match(yield* linked(`${folder}/none`), /names "model-00002-of-00002\.safetensors", which is not there/)
        // a file of another kind is no weights, and nothing of it is told
        yield* fs.writeFileString(`${folder}/other`, "secret words, of which nothing may be told")
        const other = yield* linked(`${folder}/other`)
        assert.match(other, /model-00002-of-00002\.safetensors: /)
        assert.notInclude(other, "secret")
      })
    ))

  const cases: ReadonlyArray<readonly [string, (map: { [name: string]: unknown }) => unknown, RegExp]> = [
    [
      "no JSON",
      () => "{",
      /^x\/model\.safetensors\.index\.json: is no JSON object whose weight_map names a file for each/
    ],
    ["a list", () => [], /is no JSON object whose weight_map/],
    ["numbers for files", (map) => ({ ...map, a: 1 }), /is no JSON object whose weight_map/],
    [
      "a key twice",
      (map) => `{"weight_map":{"a":"${first}",${JSON.stringify(map).slice(1).replace("}", `,"a":"${first}"}`)}}`,
      /holds the key "a" twice/
    ],
    ...[
      "../model.safetensors",
      "/etc/passwd",
      "a/b.safetensors",
      "a\\b.safetensors",
      "..safetensors",
      "a\0.safetensors",
      "",
      "model.bin"
    ].map(
      (name) =>
        [
          `the file ${JSON.stringify(name)}`,
          (map: { [name: string]: unknown }) => ({ ...map, [words]: name }),
          /has a weight_map with ".*", not the plain name of a \.safetensors file/
        ] as const
    ),
    [
      "a file that is not there",
      (map) => ({ ...map, a: "b.safetensors" }),
      /names "b\.safetensors", which is not there/
    ],
    [
      "a tensor that is not there",
      (map) => ({ ...map, __proto__x: first }),
      /__proto__x is not in model-00001-of-00002\.safetensors, as weight_map says/
    ],
    [
      "the wrong file",
      (map) => ({ ...map, [words]: map[words] === first ? second : first }),
      /word_embeddings\.weight is in model-\d.*, but weight_map says model-/
    ],
    [
      "a tensor that it does not name",
      ({ [words]: _, ...map }) => map,
      /word_embeddings\.weight is in model-.*, but weight_map does not say so/
    ]
  ]
  for (const [what, change, message] of cases)
    it(`refuses an index with ${what}`, async () => assert.match(String(await withIndex(change)), message))
})
