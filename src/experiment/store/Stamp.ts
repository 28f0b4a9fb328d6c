import { statSync } from "node:fs"

/** What tells whether a file was written since. */
export type Stamp = {
  readonly bytes: number
  /** In milliseconds. */
  readonly time: number
}

/** The stamp of a file, at once: a list asks for ten thousand. `undefined` where there is none, or none to be had. */
export const of = (file: string): Stamp | undefined => {
  try {
    const { size, mtimeMs } = statSync(file)
    return { bytes: size, time: mtimeMs }
  } catch {
    return undefined
  }
}

/** Whether two stamps are of the same file, as far as can be told. */
export const same = (a: Stamp | undefined, b: Stamp | undefined): boolean =>
  a?.bytes === b?.bytes && a?.time === b?.time
