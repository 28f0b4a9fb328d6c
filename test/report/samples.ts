import { Digest } from "../../src/spec/index.ts"
import type { LineFigure, Table, TextTable } from "../../src/report/index.ts"

// Sizes of effects as measured once in PyTorch at micro scale (remaining ratio .25, 400 steps); the values of single seeds are made up
// around those means and deviations.
const spread = (mean: number, deviation: number, digits: number, order: readonly [number, number, number]) =>
  order.map((o) => Number((mean + o * deviation).toFixed(digits)))

const row = (
  name: string,
  numbers: { readonly [id: string]: readonly [number, number] },
  order: readonly [number, number, number]
): Table.MeasuredRow => ({
  name,
  cells: Object.fromEntries(
    Object.entries(numbers).map(([id, [mean, deviation]]) => [id, { values: spread(mean, deviation, 4, order) }])
  )
})

/** Table 6 with a control row, as an experiment would hand it over. */
export const table6: Table.TableInput = {
  title: "Table 6: importance score",
  caption: "Iterative pruning from the teacher to a quarter of every axis, 400 steps, micro scale",
  rowHeader: "Importance score",
  seeds: [0, 1, 2],
  columns: [
    { id: "kl", name: "Discrepancy", unit: "nats", better: "lower", digits: 3 },
    { id: "mlm", name: "MLM loss", unit: "nats", better: "lower", digits: 3 },
    { id: "acc", name: "MLM accuracy", unit: "%", better: "higher", digits: 1 },
    { id: "pos", name: "Part of speech", unit: "%", better: "higher", digits: 1 },
    { id: "area", name: "Discrepancy, area", unit: "nats", better: "lower", digits: 3 },
    { id: "peak", name: "Discrepancy, peak", unit: "nats", better: "lower", digits: 2 }
  ],
  rows: [
    {
      ...row(
        "magnitude",
        {
          kl: [1.572, 0.011],
          mlm: [5.964, 0.017],
          acc: [11.49, 0.41],
          pos: [81.31, 0.53],
          area: [1.782, 0.001],
          peak: [1.961, 0.018]
        },
        [-1, 1, 0]
      ),
      baseline: true
    },
    row(
      "sensitivity",
      {
        kl: [1.472, 0.008],
        mlm: [5.862, 0.013],
        acc: [11.73, 0.39],
        pos: [81.64, 0.12],
        area: [1.68, 0.007],
        peak: [1.899, 0.016]
      },
      [-1, 0, 1]
    ),
    row(
      "PLATON",
      {
        kl: [1.488, 0.002],
        mlm: [5.877, 0.002],
        acc: [11.45, 0.07],
        pos: [81.69, 0.34],
        area: [1.71, 0.01],
        peak: [1.922, 0.016]
      },
      [0, -1, 1]
    ),
    row(
      "random",
      {
        kl: [1.632, 0.029],
        mlm: [6.028, 0.031],
        acc: [10.89, 0.19],
        pos: [80.86, 0.3],
        area: [1.856, 0.025],
        peak: [2.027, 0.048]
      },
      [1, 0, -1]
    )
  ],
  notes: ["One fixed teacher: the spread leaves out the teacher's own."],
  provenance: ["homodistil reproduce table6 --scale micro --seeds 3", "homodistil 0.1.0"]
}

/** A table with every awkward case: one seed more than some rows have, a diverged run, a row without values, special characters. */
export const awkward: Table.TableInput = {
  title: "Awkward | cases",
  caption: "",
  rowHeader: "Score",
  seeds: [3, 11],
  columns: [
    { id: "kl", name: "KL", unit: "nats", better: "lower", digits: 3 },
    { id: "params", name: "Parameters", better: "none", digits: 0 }
  ],
  rows: [
    {
      name: 'base, "plain"',
      baseline: true,
      cells: { kl: { values: [1, 1.5] }, params: { values: [189216, 189216] } }
    },
    {
      name: "half | seen",
      runs: [
        { key: "1111111111111111", href: "../runs/cells/1111111111111111/result.json" },
        {
          key: "2222222222222222",
          href: "../runs/cells/2222222222222222/result.json",
          diverged: "the loss is infinite at step 30"
        }
      ],
      cells: {
        kl: { values: [0.5, NaN], missing: "not measured after the last step" },
        params: { values: [100, null] }
      }
    },
    { name: "nothing", cells: {} }
  ]
}

const runsOf = (row: string) =>
  [0, 1, 2, 3].map((seed) => {
    const key = Digest.of({ row, seed })
    return { key, href: `../runs/cells/${key}/result.json` }
  })

const sized = (
  group: string,
  name: string,
  acc: ReadonlyArray<number>,
  f1: ReadonlyArray<number>,
  baseline = false
): Table.MeasuredRow => ({
  name,
  group,
  baseline,
  runs: runsOf(`${group}${name}`),
  cells: { acc: { values: acc }, f1: { values: f1 } }
})

/** Table 3: methods at two sizes, each size with its own baseline, linked to cells, and two figures published elsewhere. */
export const table3: Table.TableInput = {
  title: "Table 3: downstream tasks & sizes, 100 % of them",
  caption: "micro scale, 400 steps, batches of 16 × 64 pieces, 4 seeds",
  rowHeader: "Method",
  seeds: [0, 1, 2, 3],
  columns: [
    { id: "acc", name: "Part of speech", unit: "%", better: "higher", digits: 1 },
    { id: "f1", name: "Span F1", unit: "%", better: "higher", digits: 1 }
  ],
  rows: [
    sized("189k parameters", "TinyBERT_4", [79.1, 79.4, 78.8, 79.2], [41, 43.5, 40.2, 44.1], true),
    sized("189k parameters", "HomoDistil", [81.3, 81.7, 81.1, 81.3], [42.2, 41.8, 43.7, 42.9]),
    sized("189k parameters", "MiniLM", [79, 79.9, 78.2, 80], [39.7, 41.2, 40.5, 38.8]),
    sized("340k parameters", "TinyBERT_4", [82.2, 82.1, 81.9, 82.4], [50.1, 51.2, 49.8, 50.7], true),
    sized("340k parameters", "HomoDistil", [82.5, 82, 82.3, 82.2], [50.9, 50.2, 51, 50.4])
  ],
  published: {
    source: "a table made up for this test",
    rows: { MiniLM: { acc: 83.3 }, "340k parameters / HomoDistil": { acc: 84 } }
  },
  notes: ["One fixed teacher."],
  provenance: ["homodistil reproduce table3 --scale micro"]
}

/** A table of texts: what a researcher knows of models before any is trained. */
export const table1: TextTable.TextTable = {
  title: "Table 1: architectures",
  caption: "Parameters are counted from the built models",
  rowHeader: "Model",
  columns: [
    { id: "layers", name: "Layers" },
    { id: "widths", name: "Widths" },
    { id: "size", name: "Parameters" },
    { id: "share", name: "Left", unit: "%", digits: 1 }
  ],
  rows: [
    { name: "teacher", group: "micro", cells: { layers: 4, widths: "128 / 512", size: 1353216, share: 100 } },
    { name: "student", group: "micro", cells: { layers: 4, widths: "32 / 128", size: 189216, share: 13.98 } },
    { name: "BERT-base", group: "paper", cells: { layers: 12, widths: "768 / 3072", size: null } }
  ],
  notes: ["A dash: not counted here."],
  provenance: ["homodistil 0.1.0"]
}

const steps = [0, 20, 40, 80, 120, 160, 200, 240, 280, 320, 360, 400]

const series = (name: string, deviation: number, means: ReadonlyArray<number>): LineFigure.Series => ({
  name,
  points: steps.map((step, i) => {
    const mean = means[i] ?? 0
    const sway = deviation * (1 + 0.5 * Math.sin(i))
    return { step, values: step === 0 && mean === 0 ? [0, 0, 0] : [mean - sway, mean + 0.3 * sway, mean + 0.7 * sway] }
  })
})

const remaining = (step: number) => (step >= 280 ? 0.25 : 0.25 + 0.75 * (1 - step / 280) ** 3)
const everyTenth = Array.from({ length: 41 }, (_, i) => i * 10)

/** Figure 3 with the widths below it. */
export const figure3: LineFigure.LineFigure = {
  title: "Figure 3: prediction discrepancy while distilling",
  subtitle: [
    "KL(teacher ‖ student) on held-out masked tokens, Brown corpus; a quarter of every axis remains",
    "Mean and 95 % interval over 3 seeds, micro scale (4 layers × 128, 400 steps), one fixed teacher"
  ],
  panels: [
    {
      title: "Discrepancy (KL, nats)",
      series: [
        series(
          "random initialisation",
          0.014,
          [3.75, 3.14, 2.38, 2.31, 2.28, 2.27, 2.25, 2.24, 2.22, 2.21, 2.19, 2.18]
        ),
        series("MLM only, no teacher", 0.015, [0, 1.54, 1.88, 1.96, 2.02, 2.05, 2.04, 2.02, 1.98, 1.95, 1.93, 1.92]),
        series("HomoDistil (PLATON)", 0.01, [0, 1.34, 1.58, 1.69, 1.81, 1.87, 1.87, 1.83, 1.7, 1.64, 1.58, 1.56]),
        series("one-shot, then distil", 0.02, [3.2, 2.27, 2.2, 2.05, 1.95, 1.9, 1.8, 1.69, 1.6, 1.53, 1.48, 1.45])
      ]
    },
    {
      title: "Units left",
      height: 90,
      format: "%",
      series: [
        { name: "one-shot, then distil", points: [0, 400].map((step) => ({ step, values: [0.25] })) },
        { name: "HomoDistil (PLATON)", points: everyTenth.map((step) => ({ step, values: [remaining(step)] })) }
      ]
    }
  ],
  landmarks: [{ step: 280, label: "pruning ends (step 280)" }]
}
