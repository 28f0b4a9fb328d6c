import { mkdirSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Backend, OnnxBackend } from "homodistil/backend"
import { Flops } from "homodistil/model"
import * as Job from "../Job.ts"
import type { Options } from "../Options.ts"
import * as Prepare from "../Prepare.ts"
import { byKernel, type Profile, readTrace } from "../Profile.ts"
import { number, percent, type Section } from "../Report.ts"
import { configOf, maskedOf, narrowed, type Shape } from "../Shapes.ts"
import * as Spread from "../Spread.ts"
import { distil } from "./distil.ts"
import type { Given, Serve } from "./Serve.ts"
import { train } from "./train.ts"

/** Runs that find the caches cold. */
const skipped = 2

/** What is profiled: a kind of job in its folder, and the operations of its step. */
interface Subject {
  readonly title: string
  readonly folder: string
  readonly flops: number
  readonly kind: (given: Given) => Effect.Effect<Serve<unknown>, unknown, Backend | Scope.Scope>
}

const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

const kernelMs = ({ kernels }: Profile, which = /./): number =>
  sum(kernels.filter(({ kernel }) => which.test(kernel)).map(({ msPerRun }) => msPerRun))

const sectionOf = (title: string, profile: Profile): Section => ({
  title,
  note: `${profile.runs} runs of ${number(profile.runMs)} ms, ${number(kernelMs(profile))} ms of it in kernels.`,
  rows: profile.kernels.map(({ kernel, msPerRun, share, nodesPerRun }) => ({
    cells: { kernel, "ms a run": number(msPerRun), share: percent(share), "nodes a run": number(nodesPerRun) },
    data: { kernel, msPerRun, share, nodesPerRun }
  }))
})

/** The step as a whole: what of it passes outside the runtime, and how fast its matrix products are. */
const summaryOf = ({ title, flops }: Subject, stepMs: number, profiles: ReadonlyArray<Profile>): Section => {
  const inside = sum(profiles.map(({ runMs }) => runMs))
  const products = sum(profiles.map((profile) => kernelMs(profile, /Gemm|MatMul/)))
  const outside = stepMs - inside
  return {
    title: `${title}: the step`,
    note: "Outside is what passes while no session runs; below zero, sessions run beside each other.",
    rows: [
      {
        cells: {
          "ms a step": number(stepMs),
          "in the runtime": number(inside),
          outside: `${number(outside)} (${percent(outside / stepMs)})`,
          "matrix products": `${number(products)} (${percent(products / stepMs)})`,
          "their GFLOPS": number(flops / products / 1e6)
        },
        data: { stepMs, inside, products, flops }
      }
    ]
  }
}

const record = async (subject: Subject, threads: number, steps: number): Promise<ReadonlyArray<Section>> => {
  const { title, folder, kind } = subject
  const traces = join(folder, "traces")
  mkdirSync(traces)
  const options = { threads, profile: join(traces, "session") }
  const { ms } = await Effect.runPromise(
    Effect.gen(function* () {
      const serve = yield* kind({ job: Job.read(folder), folder })
      return yield* serve({ what: "", steps: skipped + steps })
    }).pipe(Effect.scoped, Effect.provide(OnnxBackend.layer(options)))
  )
  const files = readdirSync(traces).sort()
  if (files.length === 0) console.error(`bench: ${title}: this backend wrote no profile`)
  const profiles = files.map((file) => byKernel(readTrace(readFileSync(join(traces, file), "utf8")), skipped))
  return [
    summaryOf(subject, Spread.median(ms.slice(skipped)), profiles),
    ...profiles.map((profile, i) => sectionOf(`${title}: session ${i + 1} of ${profiles.length}`, profile))
  ]
}

/** Our time by kernel at a shape: a masked-language-model step, and the sessions of a distillation step (teacher first). */
export const profile = async (scratch: string, shape: Shape, options: Options): Promise<ReadonlyArray<Section>> => {
  const { threads, widths, quick } = options
  const steps = options.steps ?? (quick ? 3 : 10)
  const config = configOf(shape)
  const batch = { rows: shape.rows, length: shape.length, masked: maskedOf(shape.rows, shape.length) }
  const a = join(scratch, "a")
  Prepare.train(scratch, a, shape, threads)
  const flops = Flops.trainingStep(config, batch)
  const sections = [...(await record({ title: `a ${shape.name}`, folder: a, flops, kind: train }, threads, steps))]
  for (const width of widths) {
    const folder = join(scratch, `b-${width}`)
    Prepare.distil(scratch, folder, shape, width, threads)
    const title = `b ${shape.name} ${percent(width)}`
    const flops = Flops.distillationStep(config, narrowed(config, width), batch)
    sections.push(...(await record({ title, folder, flops, kind: distil }, threads, steps)))
  }
  return sections
}
