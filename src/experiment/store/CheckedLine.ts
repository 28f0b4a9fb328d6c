import { crc32 } from "node:zlib"
import { canonical, type JsonObject } from "../../spec/index.ts"

const sumOf = (text: string): string => crc32(text).toString(16).padStart(8, "0")

/** An entry as a line: canonical JSON, with a checksum of what stands before it as the last field. */
export const of = (entry: JsonObject): string => {
  const text = canonical(entry)
  return `${text.slice(0, -1)}${text === "{}" ? "" : ","}"crc32":"${sumOf(text)}"}`
}

const tail = '"crc32":"01234567"}'.length

/** Whether every bit of a line is as it was written. */
export const isWhole = (line: string): boolean => {
  const end = line.length - tail
  const empty = end === 1
  const text = `${line.slice(0, empty ? end : end - 1)}}`
  return end > 0 && (empty || line[end - 1] === ",") && line.endsWith(`"crc32":"${sumOf(text)}"}`)
}
