import { Svg } from "../../src/report/index.ts"

/** A piece of text in a picture, with the rectangle it takes. */
export interface TextBox {
  readonly text: string
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Where the texts of an SVG stand, with groups and turns taken into account; widths are estimates. */
export const textBoxes = (svg: string): ReadonlyArray<TextBox> => {
  const boxes: Array<TextBox> = []
  const origins: Array<readonly [number, number]> = [[0, 0]]
  for (const [token, attributes = "", inner = ""] of svg.matchAll(/<g\b([^>]*)>|<\/g>|<text\b([^>]*)>(.*?)<\/text>/g)) {
    const origin = origins.at(-1) ?? [0, 0]
    if (token.startsWith("</g")) origins.pop()
    else if (token.startsWith("<g")) origins.push(plus(origin, moved(attributes)))
    else
      boxes.push(
        ...linesOf(
          origin,
          /<text\b([^>]*)>/.exec(token)?.[1] ?? "",
          token.replace(/^<text[^>]*>|<\/text>$/g, "") || inner
        )
      )
  }
  return boxes
}

/** The pairs of texts whose rectangles overlap. */
export const overlaps = (boxes: ReadonlyArray<TextBox>): ReadonlyArray<string> =>
  boxes.flatMap((a, i) =>
    boxes.slice(i + 1).flatMap((b) => {
      const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top
      return apart ? [] : [`"${a.text}" over "${b.text}"`]
    })
  )

const linesOf = (origin: readonly [number, number], attributes: string, inner: string): ReadonlyArray<TextBox> => {
  const size = Number(/font-size="([\d.]+)px"/.exec(attributes)?.[1] ?? NaN)
  const bold = attributes.includes('font-weight="bold"')
  const anchor = /text-anchor="(\w+)"/.exec(attributes)?.[1] ?? "start"
  const [x, y] = plus(origin, moved(attributes))
  const turned = attributes.includes("rotate(-90)")
  let down = 0
  return inner.split(/(?=<tspan)/).map((line) => {
    down += Number(/dy="([\d.]+)"/.exec(line)?.[1] ?? 0)
    const text = line
      .replace(/<[^>]*>/g, "")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&amp;", "&")
    const width = Svg.textWidth(text, size, bold)
    const before = { start: 0, middle: width / 2, end: width }[anchor] ?? 0
    // letters stand 0.75 em above the base line and 0.2 em below it
    const [along, across] = [
      { from: -before, to: width - before },
      { from: down - 0.75 * size, to: down + 0.2 * size }
    ]
    return turned
      ? { text, left: x + across.from, right: x + across.to, top: y - along.to, bottom: y - along.from }
      : { text, left: x + along.from, right: x + along.to, top: y + across.from, bottom: y + across.to }
  })
}

const moved = (attributes: string): readonly [number, number] => {
  const [, x = "0", y = "0"] = /translate\((-?[\d.]+),(-?[\d.]+)\)/.exec(attributes) ?? []
  return [Number(x), Number(y)]
}

const plus = (a: readonly [number, number], b: readonly [number, number]): readonly [number, number] => [
  a[0] + b[0],
  a[1] + b[1]
]
