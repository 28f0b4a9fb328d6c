// Every formula once more, as plain loops over numbers: what the tensor code is held against.

/** One weight at one step: its value after the optimiser's update, and its gradient. */
export interface Moment {
  readonly w: number
  readonly g: number
}

/** The score of one weight after the steps it has seen; `u` is its random number. */
export type ScoreOracle = (history: ReadonlyArray<Moment>, u: number) => number

const last = (history: ReadonlyArray<Moment>): Moment => history.at(-1) ?? { w: 0, g: 0 }

/** The mean of the current, possibly unfinished window of a sequence. */
const runningWindow = (values: ReadonlyArray<number>, window: number): number => {
  if (values.length === 0) return 0
  const begin = Math.floor((values.length - 1) / window) * window
  let sum = 0
  for (let i = begin; i < values.length; i++) sum += values[i] ?? 0
  return sum / (values.length - begin)
}

const impact = ({ w, g }: Moment): number => Math.abs(w * g)

/** |w|. */
export const magnitude: ScoreOracle = (history) => Math.abs(last(history).w)

/** The random number itself. */
export const random: ScoreOracle = (_, u) => u

/** |w g| averaged over the running window. */
export const sensitivity =
  (window: number): ScoreOracle =>
  (history) =>
    runningWindow(history.map(impact), window)

/** |g| averaged over the running window. */
export const gradient =
  (window: number): ScoreOracle =>
  (history) =>
    runningWindow(
      history.map(({ g }) => Math.abs(g)),
      window
    )

/** g² averaged over the running window. */
export const fisher =
  (window: number): ScoreOracle =>
  (history) =>
    runningWindow(
      history.map(({ g }) => g * g),
      window
    )

/** The square of w g averaged over the running window. */
export const taylor =
  (window: number): ScoreOracle =>
  (history) =>
    runningWindow(
      history.map(({ w, g }) => w * g),
      window
    ) ** 2

/** The sum of -w g, at least 0. */
export const movement: ScoreOracle = (history) => {
  let moved = 0
  for (const { w, g } of history) moved -= w * g
  return Math.max(0, moved)
}

/** The exponential moving average from zero of |w g|, averaged over windows: it moves where a window ends. */
export const smoothed =
  (window: number, beta: number): ScoreOracle =>
  (history) => {
    let average = 0
    for (let end = window; end <= history.length; end += window)
      average = beta * average + (1 - beta) * runningWindow(history.slice(0, end).map(impact), window)
    return average
  }

/** PLATON, line by line as in the paper's appendix: one pass a finished window. */
export const platon =
  (window: number, beta1: number, beta2: number): ScoreOracle =>
  (history) => {
    let mean = 0
    let uncertainty = 0
    for (let end = window; end <= history.length; end += window) {
      let score = 0
      for (let i = end - window; i < end; i++) score += impact(history[i] ?? { w: 0, g: 0 }) / window
      mean = beta1 * mean + (1 - beta1) * score
      uncertainty = beta2 * uncertainty + (1 - beta2) * Math.abs(score - mean)
    }
    return mean * uncertainty
  }

/** Logarithms of the softmax of one row. */
export const logSoftmax = (row: ReadonlyArray<number>): ReadonlyArray<number> => {
  const top = Math.max(...row)
  let sum = 0
  for (const x of row) sum += Math.exp(x - top)
  return row.map((x) => x - top - Math.log(sum))
}

/** The mean over rows of -log softmax(row)[label]. */
export const crossEntropy = (logits: ReadonlyArray<ReadonlyArray<number>>, labels: ReadonlyArray<number>): number => {
  let sum = 0
  logits.forEach((row, i) => {
    sum -= logSoftmax(row)[labels[i] ?? 0] ?? 0
  })
  return sum / logits.length
}

/** T² times the mean over rows of KL(softmax(teacher / T) ‖ softmax(student / T)). */
export const klDivergence = (
  student: ReadonlyArray<ReadonlyArray<number>>,
  teacher: ReadonlyArray<ReadonlyArray<number>>,
  temperature: number
): number => {
  let sum = 0
  teacher.forEach((row, i) => {
    const p = logSoftmax(row.map((x) => x / temperature))
    const q = logSoftmax((student[i] ?? []).map((x) => x / temperature))
    p.forEach((logP, j) => {
      sum += Math.exp(logP) * (logP - (q[j] ?? 0))
    })
  })
  return (temperature ** 2 * sum) / teacher.length
}

/** The product of two matrices. */
export const product = (
  a: ReadonlyArray<ReadonlyArray<number>>,
  b: ReadonlyArray<ReadonlyArray<number>>
): ReadonlyArray<ReadonlyArray<number>> =>
  a.map((row) =>
    (b[0] ?? []).map((_, j) => {
      let sum = 0
      row.forEach((x, k) => {
        sum += x * (b[k]?.[j] ?? 0)
      })
      return sum
    })
  )

/** The mean squared difference over the rows that count. */
export const meanSquare = (
  a: ReadonlyArray<ReadonlyArray<number>>,
  b: ReadonlyArray<ReadonlyArray<number>>,
  counts: ReadonlyArray<boolean>
): number => {
  let sum = 0
  let n = 0
  a.forEach((row, i) => {
    if (counts[i] !== true) return
    row.forEach((x, j) => {
      sum += (x - (b[i]?.[j] ?? 0)) ** 2
      n++
    })
  })
  return sum / n
}

/** Attention scores as [rows][heads][length][length]. */
export type Scores = ReadonlyArray<ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>>

/** One layer's attention error: the mean over heads of the mean squared difference, in units of the teacher's variance if asked. */
export const attention = (
  student: Scores,
  teacher: Scores,
  valid: ReadonlyArray<ReadonlyArray<boolean>>,
  scaled: boolean
): number => {
  const heads = student[0]?.length ?? 0
  let total = 0
  for (let h = 0; h < heads; h++) {
    const xs: Array<number> = []
    const ts: Array<number> = []
    teacher.forEach((row, r) =>
      row[h]?.forEach((queries, i) =>
        queries.forEach((t, j) => {
          if (valid[r]?.[i] !== true || valid[r]?.[j] !== true) return
          ts.push(t)
          xs.push(student[r]?.[h]?.[i]?.[j] ?? 0)
        })
      )
    )
    const mean = ts.reduce((sum, t) => sum + t, 0) / ts.length
    const error = ts.reduce((sum, t, i) => sum + ((xs[i] ?? 0) - t) ** 2, 0) / ts.length
    const variance = ts.reduce((sum, t) => sum + (t - mean) ** 2, 0) / (ts.length - 1)
    total += scaled ? error / variance : error
  }
  return total / heads
}

/** V Vᵀ/√d of each row and head. */
export const valueRelation = (values: Scores): Scores =>
  values.map((row) =>
    row.map((head) =>
      head.map((v) =>
        head.map((w) => {
          let sum = 0
          v.forEach((x, k) => {
            sum += x * (w[k] ?? 0)
          })
          return sum / Math.sqrt(v.length)
        })
      )
    )
  )

/** The mean KL of the distributions over tokens, over heads and the positions that count; padded tokens are no outcomes. */
export const relationDivergence = (
  student: Scores,
  teacher: Scores,
  valid: ReadonlyArray<ReadonlyArray<boolean>>
): number => {
  let [sum, n] = [0, 0]
  teacher.forEach((row, r) =>
    row.forEach((head, h) =>
      head.forEach((queries, i) => {
        if (valid[r]?.[i] !== true) return
        const outcomes = (scores: ReadonlyArray<number>) => logSoftmax(scores.filter((_, j) => valid[r]?.[j] === true))
        const q = outcomes(student[r]?.[h]?.[i] ?? [])
        outcomes(queries).forEach((logP, j) => {
          sum += Math.exp(logP) * (logP - (q[j] ?? 0))
        })
        n++
      })
    )
  )
  return sum / n
}

/** The mean of one minus the cosine, over the rows that count. */
export const cosineDistance = (
  a: ReadonlyArray<ReadonlyArray<number>>,
  b: ReadonlyArray<ReadonlyArray<number>>,
  counts: ReadonlyArray<boolean>
): number => {
  const distances = a.flatMap((row, i) => {
    if (counts[i] !== true) return []
    const other = b[i] ?? []
    let dot = 0
    row.forEach((x, j) => {
      dot += x * (other[j] ?? 0)
    })
    return [1 - dot / (Math.hypot(...row) * Math.hypot(...other))]
  })
  return distances.reduce((sum, x) => sum + x, 0) / distances.length
}

/** The paper's remaining ratio after t of T steps. */
export const cubicRatio = (t: number, T: number, final: number, start: number, end: number): number => {
  const [ti, tf] = [start * T, end * T]
  if (t < ti) return 1
  if (t >= tf) return final
  return final + (1 - final) * (1 - (t - ti) / (tf - ti)) ** 3
}

/** The chosen rows and columns of a matrix. */
export const select = (
  matrix: ReadonlyArray<ReadonlyArray<number>>,
  rows: ReadonlyArray<number>,
  columns: ReadonlyArray<number>
): ReadonlyArray<ReadonlyArray<number>> => rows.map((r) => columns.map((c) => matrix[r]?.[c] ?? Number.NaN))
