// A thread that helps with long sweeps: it sleeps until a job opens, takes blocks of it, and sleeps again, until it is terminated.
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads"
import { isMemory, isModule } from "./WebAssembly.ts"
import { control, type Loop, loopOf, work, WORDS } from "./Control.ts"

const has = <K extends string>(value: unknown, key: K): value is { readonly [N in K]: unknown } =>
  typeof value === "object" && value !== null && key in value

const given: unknown = workerData
const port = parentPort
if (port === null || !has(given, "memory") || !isMemory(given.memory) || !has(given, "words"))
  throw new RangeError("a sweep's thread is given its memory and the address of its words")
const { memory } = given
const words = new Int32Array(memory.buffer, Number(given.words), WORDS)
const loops = new Map<number, Loop>()

/** The loop of a kernel; the modules were sent before the job was opened. */
const loopBy = (kernel: number): Loop | undefined => {
  while (!loops.has(kernel)) {
    const received: unknown = receiveMessageOnPort(port)
    if (!has(received, "message")) return undefined
    const { message } = received
    if (has(message, "kernel") && has(message, "module") && isModule(message.module))
      loops.set(Number(message.kernel), loopOf(message.module, memory))
  }
  return loops.get(kernel)
}

for (let seen = 0; ;) {
  Atomics.wait(words, control.job, seen)
  seen = Atomics.load(words, control.job)
  // From here on the caller waits for this thread: an open job stays as it is until this thread has left it.
  Atomics.add(words, control.active, 1)
  try {
    const loop = Atomics.load(words, control.open) === 1 ? loopBy(words[control.kernel] ?? 0) : undefined
    if (loop !== undefined) Atomics.add(words, control.helped, work(words, loop))
  } finally {
    Atomics.sub(words, control.active, 1)
    Atomics.notify(words, control.active)
  }
}
