/** A point of a path: where it is, and the interval of its mean. */
export interface PathPoint {
  readonly series: string
  readonly x: number
  readonly mean: number
  readonly low: number
  readonly high: number
}

const between = 9

/** How many pixels beside the right edge the ends of so many paths take. */
export const strip = (series: number): number => (series + 1) * between

/** A path in two parts: the way across, and what happens once it has arrived. */
export interface Parts<P> {
  /** Up to the first point at the last place; empty where the path starts there. */
  readonly across: ReadonlyArray<P>
  /** From there to the end. */
  readonly arrived: ReadonlyArray<P>
}

/**
 * The parts of a path.
 *
 * @example
 * ```ts
 * import { PathMarks } from "homodistil/report"
 * const parts = PathMarks.parts([{ x: 100 }, { x: 50 }, { x: 25 }, { x: 25 }])
 * assert.deepEqual([parts.across.length, parts.arrived.length], [3, 2])
 * assert.deepEqual(PathMarks.parts([{ x: 25 }, { x: 25 }]).across, [])
 * ```
 */
export const parts = <P extends { readonly x: number }>(points: ReadonlyArray<P>): Parts<P> => {
  const end = points.at(-1)?.x
  const first = points.findIndex(({ x }) => x === end)
  return { across: first > 0 ? points.slice(0, first + 1) : [], arrived: points.slice(Math.max(0, first)) }
}

/**
 * The marks of paths: across, a line with its band and a dot a point; beside the right edge, for each path in a place of its own, a dotted
 * line from its arrival (ring) to its end (diamond with its interval).
 */
export const layers = <X extends object, Y extends object, C>(
  points: ReadonlyArray<PathPoint>,
  { x, y, color }: { readonly x: X; readonly y: Y; readonly color: C }
) => {
  const bySeries = [...Map.groupBy(points, ({ series }) => series).values()]
  const mean = { ...y, field: "mean" }
  const across = bySeries.flatMap((each) => parts(each).across)
  return [
    {
      data: { values: across },
      mark: { type: "area" as const, opacity: 0.16 },
      encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color }
    },
    {
      data: { values: across },
      mark: { type: "line" as const, strokeWidth: 2.2, point: { size: 22 } },
      encoding: { x, y: mean, color }
    },
    ...bySeries.flatMap((each, i) => {
      const { arrived } = parts(each)
      const [first, last] = [arrived[0], arrived.at(-1)]
      if (first === undefined || last === undefined) return []
      const xOffset = (i + 1) * between
      return [
        {
          data: { values: [{ ...last, from: first.mean }] },
          mark: { type: "rule" as const, strokeDash: [2, 3], strokeWidth: 1.6, xOffset },
          encoding: { x, y: { ...y, field: "from" }, y2: { field: "mean" }, color }
        },
        {
          data: { values: [last] },
          mark: { type: "rule" as const, strokeWidth: 2, xOffset },
          encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color }
        },
        ...(arrived.length < 2
          ? []
          : [
              {
                data: { values: [first] },
                mark: { type: "point" as const, size: 40, filled: false, opacity: 1, strokeWidth: 1.8, xOffset },
                encoding: { x, y: mean, color }
              }
            ]),
        {
          data: { values: [last] },
          mark: { type: "point" as const, shape: "diamond" as const, size: 70, filled: true, opacity: 1, xOffset },
          encoding: { x, y: mean, color }
        }
      ]
    })
  ]
}
