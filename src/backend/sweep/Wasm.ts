import { Buffer } from "node:buffer"

/** A stretch of WebAssembly code. */
export type Code = ReadonlyArray<number>

/** A whole number as WebAssembly writes it when it has no sign (LEB128). */
export const unsigned = (value: number): Code =>
  value < 128 ? [value] : [(value % 128) + 128, ...unsigned(Math.floor(value / 128))]

/** A whole number as WebAssembly writes it when it may be negative. */
export const signed = (value: number): Code =>
  value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(Math.floor(value / 128))]

/** A SIMD instruction by its number. */
const simd = (number: number): Code => [0xfd, ...unsigned(number)]

/** A place in memory: the alignment that is promised, as a power of two, and an offset. */
const place = (alignment: number, offset: number): Code => [alignment, ...unsigned(offset)]

/** The 16 bytes of four equal 32-bit numbers. */
const four = (bits: number): Code => Array.from({ length: 16 }, (_, i) => (bits >>> (8 * (i % 4))) & 255)

/** Instructions on 32-bit addresses and control flow. */
export const i32 = {
  constant: (value: number): Code => [0x41, ...signed(value)],
  load: (offset: number): Code => [0x28, ...place(2, offset)],
  add: [0x6a],
  shiftRight: [0x76],
  lessThan: [0x49]
} as const

/** Reading and writing a function's variables. */
export const local = {
  get: (index: number): Code => [0x20, ...unsigned(index)],
  set: (index: number): Code => [0x21, ...unsigned(index)],
  tee: (index: number): Code => [0x22, ...unsigned(index)]
} as const

/** Pieces of code, one after the other. */
export const sequence = (...pieces: ReadonlyArray<Code>): Code => pieces.flat()

/** The code once for every group of four elements: while `from` is below `end` (variables with offsets in bytes), which grows by 16. */
export const overGroups = (from: number, end: number, code: Code): Code => {
  const isBelow = sequence(local.get(end), i32.lessThan)
  const again = sequence(local.get(from), i32.constant(16), i32.add, local.tee(from), isBelow)
  // if (from < end) do { code } while ((from += 16) < end)
  return sequence(local.get(from), isBelow, [0x04, 0x40, 0x03, 0x40], code, again, [0x0d, 0, 0x0b, 0x0b])
}

/** Instructions on four float32 lanes, or on their bits. Vectors may begin at any multiple of 4 bytes. */
export const f32x4 = {
  load: [...simd(0x00), ...place(2, 0)],
  store: [...simd(0x0b), ...place(2, 0)],
  /** Four times the number at an address. */
  splat: (offset: number): Code => [...simd(0x09), ...place(2, offset)],
  /** Four times the number with these bits. */
  constant: (bits: number): Code => [...simd(0x0c), ...four(bits)],
  eq: simd(0x41),
  ne: simd(0x42),
  lt: simd(0x43),
  gt: simd(0x44),
  le: simd(0x45),
  ge: simd(0x46),
  not: simd(0x4d),
  and: simd(0x4e),
  or: simd(0x50),
  select: simd(0x52),
  floor: simd(0x68),
  abs: simd(0xe0),
  neg: simd(0xe1),
  sqrt: simd(0xe3),
  add: simd(0xe4),
  sub: simd(0xe5),
  mul: simd(0xe6),
  div: simd(0xe7),
  min: simd(0xe8),
  max: simd(0xe9)
} as const

/** Instructions on two float64 lanes, and on one float64. */
export const f64x2 = {
  /** The first two float32 lanes as float64. */
  promoteLow: simd(0x5f),
  /** The last two float32 lanes moved to the front. */
  high: [...simd(0x0d), ...Array.from({ length: 16 }, (_, i) => (i + 8) % 16)],
  add: simd(0xf0),
  mul: simd(0xf2),
  lane: (index: number): Code => [...simd(0x21), index],
  addLanes: [0xa0],
  /** Stores one float64. */
  store: [0x39, ...place(3, 0)]
} as const

/** A function over three addresses that returns nothing: its further variables, and its code. */
export interface Body {
  /** Variables 3, 4, …: so many 32-bit integers, then so many SIMD values; all are 0 at first. */
  readonly integers: number
  readonly lanes: number
  readonly code: Code
}

const vector = (items: ReadonlyArray<Code>): Code => [...unsigned(items.length), ...items.flat()]
const sized = (code: Code): Code => [...unsigned(code.length), ...code]
const section = (id: number, code: Code): Code => [id, ...sized(code)]
const text = (value: string): Code => sized([...Buffer.from(value)])

/**
 * The bytes of a module that imports the shared memory `env.memory` (of at most 4 GiB) and exports the function as `run`.
 *
 * Written by hand because the well-kept library, binaryen, unpacks to 100 MB and takes 100 times as long to load as a
 * sweep takes to compile; what is needed here is this file.
 */
export const encode = ({ integers, lanes, code }: Body): Uint8Array<ArrayBuffer> => {
  const variables = vector([
    [...unsigned(integers), 0x7f],
    [...unsigned(lanes), 0x7b]
  ])
  return Uint8Array.from(
    sequence(
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, vector([[0x60, ...vector([[0x7f], [0x7f], [0x7f]]), 0]])),
      section(2, vector([[...text("env"), ...text("memory"), 2, 3, ...unsigned(1), ...unsigned(65_536)]])),
      section(3, vector([[0]])),
      section(7, vector([[...text("run"), 0, 0]])),
      section(10, vector([sized([...variables, ...code, 0x0b])]))
    )
  )
}
