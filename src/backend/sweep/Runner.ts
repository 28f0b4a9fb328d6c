import { Buffer } from "node:buffer"
import { Worker } from "node:worker_threads"
import * as Arena from "./Arena.ts"
import * as WebAssembly from "./WebAssembly.ts"
import { BLOCK, control, type Loop, loopOf, work, WORDS } from "./Control.ts"

/** A module that is ready to run over a runner's memory. */
export interface Loaded {
  readonly kernel: number
  readonly loop: Loop
}

/** What sweeps run on: a memory, and the threads that share it. One job runs at a time; `run` returns when it is done. */
export interface Runner {
  readonly arena: Arena.Arena
  readonly threads: number
  /** Room for the arguments of a job: addresses and scalars. */
  readonly job: Int32Array
  /** Room for pieces of vectors that lie elsewhere. */
  readonly tiles: Float32Array
  /** Room for the results of single blocks. */
  readonly partials: Float64Array
  /** Makes a module ready; equal bytes share one, so that optimised code is found again after a pruning event. */
  readonly load: (bytes: Uint8Array<ArrayBuffer>) => Loaded
  /** Runs a loop over `bytes` of each vector with the arguments in `job`, in blocks, on all threads where that is worth it. */
  readonly run: (loaded: Loaded, bytes: number) => void
  /** Blocks that other threads have done so far. */
  readonly helped: () => number
  /** Ends the threads and gives the room back; the runner must not be used any more. */
  readonly close: () => Promise<void>
}

/** What a runner is made of. */
export interface RunnerOptions {
  /** Threads that share long vectors, the calling one included; 1 unless given. Results are the same for any number. */
  readonly threads?: number
  /** Where vectors lie; the arena of this thread unless given. */
  readonly arena?: Arena.Arena
}

/** Vectors shorter than this many bytes stay on the calling thread; from about here on two threads are clearly faster than one. */
const LONG = 1_048_576
const JOB_WORDS = 1024
const TILE_ELEMENTS = 65_536
const PARTIALS = 8192
/** How often a thread looks whether others are done before it sleeps. */
const LOOKS = 2000

/** The thread's file: as source under Node's type stripping, or as built. */
const threadFile = new URL(import.meta.url.endsWith(".ts") ? "./SweepWorker.ts" : "./SweepWorker.js", import.meta.url)

/** A runner with its own threads, which start with the first long vector and do not keep the process alive. */
export const make = ({ threads = 1, arena = Arena.ofThread() }: RunnerOptions = {}): Runner => {
  const room = [WORDS, JOB_WORDS, TILE_ELEMENTS, 2 * PARTIALS].map((length) => arena.allocate(length, "int32"))
  const [words, job, tiles, partials] = room
  if (
    words === undefined ||
    job === undefined ||
    tiles === undefined ||
    partials === undefined ||
    !room.every(arena.holds)
  )
    throw new RangeError("no memory is left for sweeps")
  const loaded = new Map<string, Loaded & { readonly module: WebAssembly.Module }>()
  let workers: ReadonlyArray<Worker> = []

  const start = (): void => {
    workers = Array.from({ length: threads - 1 }, () => {
      const worker = new Worker(threadFile, {
        // not those of this process, which may be about another file
        execArgv: [],
        workerData: { memory: arena.memory, words: words.byteOffset }
      })
      worker.unref()
      for (const { kernel, module } of loaded.values()) worker.postMessage({ kernel, module }, [])
      return worker
    })
  }

  const load: Runner["load"] = (bytes) => {
    const key = Buffer.from(bytes).toString("latin1")
    const known = loaded.get(key)
    if (known !== undefined) return known
    const module = WebAssembly.compile(bytes)
    const made = { kernel: loaded.size, module, loop: loopOf(module, arena.memory) }
    loaded.set(key, made)
    for (const worker of workers) worker.postMessage({ kernel: made.kernel, module }, [])
    return made
  }

  const alone = ({ loop }: Loaded, bytes: number): void => {
    for (let from = 0; from < bytes; from += BLOCK) loop(job.byteOffset, from, Math.min(from + BLOCK, bytes))
  }

  const together = ({ kernel, loop }: Loaded, bytes: number): void => {
    if (workers.length === 0) start()
    words[control.kernel] = kernel
    words[control.arguments] = job.byteOffset
    words[control.bytes] = bytes
    Atomics.store(words, control.next, 0)
    Atomics.store(words, control.open, 1)
    Atomics.add(words, control.job, 1)
    Atomics.notify(words, control.job)
    try {
      work(words, loop)
    } finally {
      Atomics.store(words, control.open, 0)
      leave()
    }
  }

  /** Waits until no other thread is at the job. */
  const leave = (): void => {
    for (let looks = 0; ; looks++) {
      const active = Atomics.load(words, control.active)
      if (active === 0) return
      if (looks > LOOKS) Atomics.wait(words, control.active, active)
    }
  }

  return {
    arena,
    threads,
    job,
    tiles: new Float32Array(tiles.buffer, tiles.byteOffset, TILE_ELEMENTS),
    partials: new Float64Array(partials.buffer, partials.byteOffset, PARTIALS),
    load,
    run: (loaded, bytes) => (threads > 1 && bytes >= LONG ? together(loaded, bytes) : alone(loaded, bytes)),
    helped: () => Atomics.load(words, control.helped),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()))
      room.forEach(arena.free)
    }
  }
}
