import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { HuggingFace } from "homodistil/checkpoint"
import { Pretraining } from "homodistil/distill"
import { BertConfig } from "homodistil/model"
import { Spec } from "homodistil/spec"
import * as Provenance from "../../src/cli/Provenance.ts"
import * as TeacherFolder from "../../src/cli/TeacherFolder.ts"
import * as TeacherRecipe from "../../src/cli/TeacherRecipe.ts"
import { root } from "./terminal.ts"

describe("the teacher that comes with homodistil", () => {
  it("is what the defaults of pretrain make of this corpus and vocabulary", async () => {
    const directory = join(root, "assets", "teacher")
    const { teacher, provenance } = await Effect.runPromise(
      Effect.gen(function* () {
        const { provenance } = yield* HuggingFace.read(directory)
        return { teacher: yield* TeacherFolder.load(directory, TeacherRecipe.length), provenance }
      }).pipe(Effect.provide(NodeServices.layer))
    )
    assert.deepStrictEqual(teacher.model.config, BertConfig.micro)
    const recipe = TeacherRecipe.make(TeacherRecipe.micro, teacher.dataset)
    assert.deepInclude(provenance, {
      seed: 0,
      data: teacher.dataset.digest,
      tokenizer: teacher.tokenizer.digest,
      spec: Spec.toJson(Pretraining.spec(recipe))
    })
    assert.match(
      JSON.stringify(provenance),
      /"homodistil pretrain --steps 12000 --seed 0 --layers 4 --hidden 128 --heads 4 /
    )
  })
})

describe("commandLine", () => {
  it("has every setting that was given", () =>
    assert.strictEqual(
      Provenance.commandLine("distill", { scorer: "platon", window: undefined, ratio: 0.5 }),
      "homodistil distill --scorer platon --ratio 0.5"
    ))
})
