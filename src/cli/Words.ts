/** A duration for people: `8.4 s`, `75 s`, `3 min 5 s`, `2 h 10 min`. */
export const duration = (seconds: number): string => {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 100) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A number in three digits: `0.0123`, `1.49`, `41.2`, `1234`. */
export const short = (value: number): string => {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (size >= 999.5) return String(Math.round(value))
  if (size === 0) return "0"
  return size < 0.001 ? value.toExponential(1) : value.toPrecision(3)
}

/** How many of something: `812`, `412k`, `1.35M`, `2.28T`. */
export const amount = (count: number): string => {
  if (count < 1000) return String(count)
  const steps = ["k", "M", "G", "T", "P"]
  const step = steps.findIndex((_, i) => count < 999.5 * 1000 ** (i + 1))
  const i = step < 0 ? steps.length - 1 : step
  return `${(count / 1000 ** (i + 1)).toPrecision(3)}${steps[i]}`
}

/** `1 cell`, `12 cells`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

/** Parts joined by two spaces, in lines of at most `width` characters; a line that goes on is indented. */
export const flow = (parts: ReadonlyArray<string>, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const part of parts) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + 2 + part.length <= width) lines[lines.length - 1] = `${line}  ${part}`
    else lines.push(line === undefined ? part : `    ${part}`)
  }
  return lines.map((line) => (line.length <= width ? line : `${line.slice(0, Math.max(1, width - 1))}…`))
}

/** A text in lines of at most `width` characters, broken between words. */
export const wrap = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}
