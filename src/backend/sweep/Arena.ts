import type { DType, HostArray } from "../Tensor.ts"
import * as WebAssembly from "./WebAssembly.ts"

/** A vector's element type as a typed array over shared memory, or over memory of its own where that is used up. */
export type Vector<D extends DType> = D extends "int32" ? Int32Array : Float32Array

/** How a vector is made. */
export interface AllocateOptions {
  /** Whether its elements are 0 at first; they are unless this is false, which saves a pass over memory that was used before. */
  readonly zero?: boolean
}

/** Memory for long vectors that WebAssembly code reads and writes without copies, in this thread and in those it is shared with. */
export interface Arena {
  readonly memory: WebAssembly.Memory
  /** A vector aligned to 64 bytes; an ordinary array where the memory is used up, which a sweep stages. */
  readonly allocate: <D extends DType>(length: number, dtype: D, options?: AllocateOptions) => Vector<D>
  /** Gives a vector's memory back; the array must not be used any more. A defect for a view that `allocate` did not make. */
  readonly free: (array: HostArray) => void
  /** Whether an array lies in this memory. */
  readonly holds: (array: HostArray) => boolean
  /** Bytes that live vectors take here, each rounded up to 64. */
  readonly used: () => number
}

const PAGE = 65_536
const ALIGNMENT = 64
/** The first bytes stay empty, so that no vector has address 0. */
const BEGIN = ALIGNMENT
const MOST_PAGES = 65_536
/** The memory grows by at least this much, since every growth makes a new buffer object. */
const GROWTH = 64

const up = (value: number, unit: number): number => Math.ceil(value / unit) * unit

/** A shared memory of at most that many pages; of fewer where the machine reserves no more. */
const reserve = (pages: number): WebAssembly.Memory => {
  try {
    return WebAssembly.memory(pages)
  } catch (cause) {
    if (!(cause instanceof RangeError) || pages <= GROWTH) throw cause
    return reserve(Math.floor(pages / 2))
  }
}

/** A stretch of free memory: [begin, end). */
interface Gap {
  readonly begin: number
  readonly end: number
}

/**
 * An empty memory of at most `pages` pages of 64 KiB (4 GiB unless given); the system provides pages when they are first written.
 *
 * The lowest gap that is large enough is taken, so the same calls give the same addresses.
 */
export const make = (pages: number = MOST_PAGES): Arena => {
  const memory = reserve(Math.min(pages, MOST_PAGES))
  // each growth makes another buffer object over the same bytes; arrays over earlier ones stay good
  const buffers = new WeakSet<ArrayBufferLike>([memory.buffer])
  /** Free memory below `top` in the order of addresses; no two gaps touch, and none touches `top`. */
  let gaps: ReadonlyArray<Gap> = []
  /** Where the memory behind every live vector begins. */
  let top = BEGIN
  /** Memory from here on has never been handed out, so it is zero. */
  let fresh = BEGIN
  const live = new Map<number, number>()
  let used = 0

  const grow = (bytes: number): boolean => {
    const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE)
    if (missing <= 0) return true
    for (const pages of [Math.max(missing, GROWTH), missing]) {
      try {
        memory.grow(pages)
        buffers.add(memory.buffer)
        return true
      } catch (cause) {
        if (!(cause instanceof RangeError)) throw cause
      }
    }
    return false
  }

  /** The address of `size` free bytes. */
  const take = (size: number): number | undefined => {
    const i = gaps.findIndex(({ begin, end }) => end - begin >= size)
    const gap = gaps[i]
    if (gap !== undefined) {
      const rest = gap.end - gap.begin === size ? [] : [{ begin: gap.begin + size, end: gap.end }]
      gaps = [...gaps.slice(0, i), ...rest, ...gaps.slice(i + 1)]
      return gap.begin
    }
    if (!grow(top + size)) return undefined
    top += size
    return top - size
  }

  const allocate: Arena["allocate"] = <D extends DType>(
    length: number,
    dtype: D,
    { zero = true }: AllocateOptions = {}
  ) => {
    const size = Math.max(up(length * 4, ALIGNMENT), ALIGNMENT)
    const begin = take(size)
    if (begin === undefined) return view(dtype, new ArrayBuffer(length * 4), 0, length)
    live.set(begin, size)
    used += size
    if (zero && begin < fresh) new Uint8Array(memory.buffer, begin, Math.min(begin + size, fresh) - begin).fill(0)
    fresh = Math.max(fresh, begin + size)
    return view(dtype, memory.buffer, begin, length)
  }

  const free: Arena["free"] = (array) => {
    if (!holds(array)) return
    const begin = array.byteOffset
    const size = live.get(begin)
    if (size === undefined)
      throw new RangeError(`no vector begins at ${begin}: it is freed already, or part of another`)
    live.delete(begin)
    used -= size
    const before = gaps.filter((gap) => gap.end < begin)
    const behind = gaps.filter((gap) => gap.begin > begin + size)
    const touching = gaps.filter((gap) => gap.end === begin || gap.begin === begin + size)
    const gap = {
      begin: Math.min(begin, ...touching.map((gap) => gap.begin)),
      end: Math.max(begin + size, ...touching.map((gap) => gap.end))
    }
    const atTop = gap.end === top
    if (atTop) top = gap.begin
    gaps = atTop ? before : [...before, gap, ...behind]
  }

  const holds: Arena["holds"] = ({ buffer }) => buffers.has(buffer)
  return { memory, allocate, free, holds, used: () => used }
}

const isOf = <D extends DType>(array: HostArray, dtype: D): array is Vector<D> =>
  array instanceof Int32Array === (dtype === "int32")

const view = <D extends DType>(dtype: D, buffer: ArrayBufferLike, offset: number, length: number): Vector<D> => {
  const array = dtype === "int32" ? new Int32Array(buffer, offset, length) : new Float32Array(buffer, offset, length)
  if (!isOf(array, dtype)) throw new RangeError(`a vector is float32 or int32, not ${dtype}`)
  return array
}

let own: Arena | undefined

/** The arena of this thread, made when it is first asked for: its address range is large, so there is one. */
export const ofThread = (): Arena => (own ??= make())
