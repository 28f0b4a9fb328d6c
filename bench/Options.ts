import { parseArgs } from "node:util"
import { shapes, type Shape, widths } from "./Shapes.ts"

/** The cases there are, by letter. */
export const cases = ["a", "b", "c", "d", "e"] as const

/** What is asked for on the command line. */
export interface Options {
  readonly cases: ReadonlyArray<string>
  readonly shapes: ReadonlyArray<Shape>
  readonly widths: ReadonlyArray<number>
  readonly rounds: number
  /** The same for whole runs, which take minutes. */
  readonly runRounds: number
  /** Steps of a turn; by shape unless given. */
  readonly steps: number | undefined
  readonly quick: boolean
  readonly threads: number
  readonly out: string | undefined
  /** Seconds torch.compile may take; 0 leaves it out. */
  readonly compile: number
  readonly recalibrate: boolean
  readonly check: boolean
  readonly profile: Shape | undefined
}

/** What --help prints. */
export const help = `Times homodistil against PyTorch: the same mathematics, weights and batches, turn by turn in alternating processes.

  npm run bench -- [options]

  --cases a,b,c,d,e   a masked-LM step, b distillation step, c whole run, d student inference, e four scorers (all)
  --shapes LIST       ${shapes.map(({ name }) => name).join(",")} (all; c knows 4x128 and 4x256, e 4x128)
  --widths LIST       ${widths.join(",")} of the teacher, for case b (all)
  --rounds N          rounds of one turn each (7; 3 for c and e; --quick 3 and 1)
  --steps N           steps of a turn (by shape: 2 to 20)
  --quick             fewer rounds and steps, runs of 100 steps, no torch.compile: to see that all works
  --threads N         threads of either side (2)
  --compile SECONDS   the most that torch.compile may take to compile a variant (180; 0 leaves it out)
  --recalibrate       time PyTorch's variants again instead of taking the winner that .cache/bench/ remembers
  --check             compare the losses of the first steps instead of the time
  --profile SHAPE     our time by kernel instead: a masked-LM step and a distillation step
  --out FILE          write FILE.md and FILE.json too

  PYTHON names the Python that has PyTorch; without one, ours is timed alone.

  npm run bench -- --quick --cases a --shapes 4x128
  PYTHON=.venv/bin/python npm run bench -- --cases a,b --shapes 4x256,12x768 --out bench-result
  npm run bench -- --profile 4x256
`

/** The options, a text to print instead, or what is wrong with them. */
export type Parsed =
  | { readonly options: Options }
  | { readonly help: string }
  | { readonly problems: ReadonlyArray<string> }

const flags = {
  cases: { type: "string", default: cases.join(",") },
  shapes: { type: "string", default: shapes.map(({ name }) => name).join(",") },
  widths: { type: "string", default: widths.join(",") },
  rounds: { type: "string" },
  steps: { type: "string" },
  quick: { type: "boolean", default: false },
  threads: { type: "string", default: "2" },
  out: { type: "string" },
  compile: { type: "string" },
  recalibrate: { type: "boolean", default: false },
  check: { type: "boolean", default: false },
  profile: { type: "string" },
  help: { type: "boolean", default: false }
} as const

/** Reads the command line. */
export const parse = (args: ReadonlyArray<string>): Parsed => {
  const problems: Array<string> = []
  const read = () => {
    try {
      return parseArgs({ args: [...args], options: flags }).values
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
      return undefined
    }
  }
  const given = read()
  if (given === undefined) return { problems }
  if (given.help) return { help }

  const oneOf = <A>(flag: string, text: string, known: ReadonlyArray<readonly [string, A]>): ReadonlyArray<A> =>
    text.split(",").flatMap((each) => {
      const found = known.find(([name]) => name === each)
      if (found !== undefined) return [found[1]]
      problems.push(`--${flag} ${each}: must be of ${known.map(([name]) => name).join(", ")}`)
      return []
    })
  const count = (flag: string, text: string | undefined, least: number): number | undefined => {
    if (text === undefined) return undefined
    const value = Number(text)
    if (Number.isInteger(value) && value >= least) return value
    problems.push(`--${flag} ${text}: must be a whole number of at least ${least}`)
    return undefined
  }
  const byName = shapes.map((shape) => [shape.name, shape] as const)
  const { quick, recalibrate, check } = given
  const rounds = count("rounds", given.rounds, 1)
  const options: Options = {
    cases: oneOf(
      "cases",
      given.cases,
      cases.map((name) => [name, name] as const)
    ),
    shapes: oneOf("shapes", given.shapes, byName),
    widths: oneOf(
      "widths",
      given.widths,
      widths.map((width) => [String(width), width] as const)
    ),
    rounds: rounds ?? (quick ? 3 : 7),
    runRounds: rounds ?? (quick ? 1 : 3),
    steps: count("steps", given.steps, 1),
    quick,
    threads: count("threads", given.threads, 1) ?? 2,
    out: given.out,
    compile: count("compile", given.compile, 0) ?? (quick ? 0 : 180),
    recalibrate,
    check,
    profile: given.profile === undefined ? undefined : oneOf("profile", given.profile, byName)[0]
  }
  return problems.length > 0 ? { problems } : { options }
}
