import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as ModelCard from "../../src/checkpoint/ModelCard.ts"
import { poolerOf, small, uneven } from "./samples.ts"

const card: ModelCard.Card = {
  title: "Half a BERT",
  done: ["Distilled from a teacher.", "Pruned by PLATON."],
  measures: [
    { name: "MLM loss", value: "4.100 nats", teacher: "3.900 nats" },
    { name: "discrepancy", value: "0.210 nats" }
  ],
  baseModel: "google-bert/bert-base-uncased",
  license: "apache-2.0",
  tags: ["knowledge-distillation", "bert"]
}

/** The lines between the first two rules. */
const frontMatter = (text: string): ReadonlyArray<string> => {
  const lines = text.split("\n")
  assert.strictEqual(lines[0], "---")
  return lines.slice(1, lines.indexOf("---", 1))
}

describe("text", () => {
  it("is a model card", () => {
    const text = ModelCard.text({ config: small, provenance: { seed: 0 } }, card)
    assert.strictEqual(
      text,
      `---
library_name: "transformers"
pipeline_tag: "fill-mask"
license: "apache-2.0"
base_model: "google-bert/bert-base-uncased"
tags:
- "homodistil"
- "bert"
- "knowledge-distillation"
---

# Half a BERT

Distilled from a teacher.

Pruned by PLATON.

## Shape

|  | BERT for masked language modelling |
| --- | ---: |
| parameters | 431 |
| layers | 2 |
| hidden | 4 |
| feed-forward | 6 |
| heads | 2 |
| queries and keys | 4 |
| values | 4 |
| positions | 6 |
| vocabulary | 11 |

## Measures

|  | this model | its teacher |
| --- | ---: | ---: |
| MLM loss | 4.100 nats | 3.900 nats |
| discrepancy | 0.210 nats |  |

## Use

\`\`\`python
from transformers import AutoModelForMaskedLM

model = AutoModelForMaskedLM.from_pretrained("this folder")
\`\`\`

The model has no pooler: \`AutoModel\` would draw one at random, so read hidden states and not its \`pooler_output\`.

## Provenance

\`\`\`json
{
  "seed": 0
}
\`\`\`
`
    )
  })

  it("leaves out what is not known, and says how a bare encoder is loaded", () => {
    const text = ModelCard.text({ config: { ...small, head: "none" } }, { title: "x", done: [] })
    assert.deepStrictEqual(frontMatter(text), [
      'library_name: "transformers"',
      'pipeline_tag: "feature-extraction"',
      "tags:",
      '- "homodistil"',
      '- "bert"'
    ])
    assert.include(text, 'AutoModel.from_pretrained("this folder", add_pooling_layer=False)')
    assert.include(text, "no pooler")
    assert.notInclude(text, "Measures")
    assert.notInclude(text, "Provenance")
  })

  it("says nothing of a pooler that is there", () => {
    const text = ModelCard.text(
      { config: { ...small, head: "none" }, pooler: poolerOf(small) },
      { title: "x", done: [] }
    )
    assert.include(text, 'AutoModel.from_pretrained("this folder")')
    assert.notInclude(text, "pool")
  })

  it("says which widths transformers cannot load", () => {
    const text = ModelCard.text({ config: uneven }, card)
    assert.match(text, /`transformers` cannot load this model: hidden 3 is no multiple of 2 heads/)
    assert.notInclude(text, "from_pretrained")
    assert.match(text, /\| feed-forward \| 5, 2 \|/)
  })

  it("keeps text of others' from leaving its line, and folders' names from the front matter", () =>
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (text, other) => {
        const hostile = { title: `a\n---\n${text}`, done: [`b\n# c ${text}`], baseModel: `/home/${other}` }
        const made = ModelCard.text({ config: small }, { ...hostile, measures: [{ name: `|\n${text}`, value: other }] })
        const plain = ModelCard.text(
          { config: small },
          { title: "a", done: ["b"], measures: [{ name: "c", value: "d" }] }
        )
        assert.deepStrictEqual(frontMatter(made), frontMatter(plain))
        assert.strictEqual(made.split("\n").length, plain.split("\n").length)
      })
    ))
})
