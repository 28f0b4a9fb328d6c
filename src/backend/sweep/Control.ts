import * as WebAssembly from "./WebAssembly.ts"

/** The words by which the threads of a sweep agree, in shared memory; all 0 at first. */
export const control = {
  /** Counts the jobs; waiting threads are woken when it changes. */
  job: 0,
  /** 1 while blocks may be taken. */
  open: 1,
  /** The block that is taken next. */
  next: 2,
  /** Threads that look at the job, or work on it; the caller goes on when there are none. */
  active: 3,
  /** What the job is: which kernel, the address of its arguments, and the bytes of each vector. */
  kernel: 4,
  arguments: 5,
  bytes: 6,
  /** Blocks that other threads than the caller have done so far. */
  helped: 7
} as const

/** How many words there are. */
export const WORDS = 8

/** Bytes of each vector that are worked on in one call: short calls let V8 change to optimised code, and let threads share evenly. */
export const BLOCK = 65_536

/** A compiled loop over the bytes [from, end) of each vector. */
export type Loop = (job: number, from: number, end: number) => void

/** The loop of a module over a memory. */
export const loopOf = (module: WebAssembly.Module, memory: WebAssembly.Memory): Loop => {
  const run = WebAssembly.instantiate(module, memory)["run"]
  if (!isLoop(run)) throw new RangeError("the module exports no function run")
  return run
}

const isLoop = (value: unknown): value is Loop => typeof value === "function"

/** Takes blocks of the open job until none is left; how many it took. */
export const work = (words: Int32Array, loop: Loop): number => {
  // as unsigned numbers: a vector may have up to 4 GiB
  const [job, bytes] = [words[control.arguments] ?? 0, (words[control.bytes] ?? 0) >>> 0]
  const blocks = Math.ceil(bytes / BLOCK)
  let taken = 0
  for (let block = next(words); block < blocks; block = next(words)) {
    loop(job, block * BLOCK, Math.min((block + 1) * BLOCK, bytes))
    taken++
  }
  return taken
}

const next = (words: Int32Array): number => Atomics.add(words, control.next, 1)
