import { availableParallelism } from "node:os"
import type { HostArray } from "../Tensor.ts"
import { type Address, addressOf, created, ortApi } from "./OrtApi.ts"

/** How native sessions work. */
export interface SessionOptions {
  /** Threads that a kernel may use. */
  readonly threads: number
  /** Beginning of the names of files that the time of each kernel is written to; nothing is written unless given. */
  readonly profile?: string
}

/** A native tensor over numbers of this process, which must outlive it. */
export type Value = Address

/** A native session: one compiled graph. */
export interface Session {
  /** Runs the graph on another thread: reads the inputs' numbers and writes those of the outputs, in the order of the names. */
  readonly run: (inputs: ReadonlyArray<Value>, outputs: ReadonlyArray<Value>) => Promise<void>
  readonly release: () => void
}

/** ONNX's numbers of the two element types. */
const elementType = (data: HostArray): number => (data instanceof Int32Array ? 6 : 1)

/** Keeps what a native call reads from being collected: their last mention comes after the call. */
const hold = (..._: ReadonlyArray<unknown>): void => {}

/** A list of C strings, with the addresses of their beginnings; the bytes are held by the closure. */
const strings = (names: ReadonlyArray<string>) => {
  const bytes = new TextEncoder().encode(names.map((name) => `${name}\0`).join(""))
  const start = BigInt(addressOf(bytes))
  let from = 0
  const addresses = BigUint64Array.from(names, (name) => {
    const at = start + BigInt(from)
    from += new TextEncoder().encode(name).length + 1
    return at
  })
  return { bytes, addresses }
}

interface Environment {
  readonly address: Address
  /** Threads of the pool that all sessions of the process share. */
  readonly threads: number
}

let environment: Environment | undefined
let memory: Address | undefined
let profiles = 0

/** What says that numbers lie in the memory of this process; unlike a session it needs no environment, whose threads it would settle. */
const memoryInfo = (): Address => (memory ??= created((place) => ortApi().CreateCpuMemoryInfo.now(0, 0, place)))

/**
 * Lets all sessions of an environment draw on one store of memory, which grows by what is asked for; by itself each session would have
 * its own, of powers of two, and keep it.
 */
const shareMemory = (environmentAddress: Address): void => {
  const api = ortApi()
  const { bytes, addresses } = strings(["arena_extend_strategy"])
  const sameAsRequested = BigUint64Array.of(1n)
  const settings = created((place) => api.CreateArenaCfgV2.now(addresses, sameAsRequested, 1, place))
  const arena = created((place) => api.CreateCpuMemoryInfo.now(1, 0, place))
  api.CreateAndRegisterAllocator.now(environmentAddress, arena, settings)
  api.ReleaseArenaCfg.now(settings)
  hold(bytes)
}

/**
 * The one environment of the process. Its sessions share one pool of threads, so idle threads may spin for the next kernel without
 * standing in the way of another session.
 */
const environmentOf = (threads: number): Environment => {
  if (environment !== undefined) return environment
  const api = ortApi()
  const shared = threads > 1 ? threads : availableParallelism()
  const pool = created((place) => api.CreateThreadingOptions.now(place))
  api.SetGlobalIntraOpNumThreads.now(pool, shared)
  api.SetGlobalInterOpNumThreads.now(pool, 1)
  api.SetGlobalSpinControl.now(pool, 1)
  const address = created((place) => api.CreateEnvWithGlobalThreadPools.now(4, "homodistil", pool, place))
  api.ReleaseThreadingOptions.now(pool)
  shareMemory(address)
  environment = { address, threads: shared }
  return environment
}

const optionsOf = ({ threads, profile }: SessionOptions, shared: number): Address => {
  const api = ortApi()
  const options = created((place) => api.CreateSessionOptions.now(place))
  // a failure is told by its error, not by the runtime on the terminal
  api.SetSessionLogSeverityLevel.now(options, 4)
  // graphs come simplified; the runtime's own passes change no kernel of theirs, and take longer than all else about a session
  api.SetSessionGraphOptimizationLevel.now(options, 0)
  // one block for all of a run's intermediate values would come on top of the pieces of the first run, and is no faster
  api.DisableMemPattern.now(options)
  api.SetInterOpNumThreads.now(options, 1)
  api.AddSessionConfigEntry.now(options, "session.use_env_allocators", "1")
  if (threads === shared) api.DisablePerSessionThreads.now(options)
  else {
    api.SetIntraOpNumThreads.now(options, threads)
    api.AddSessionConfigEntry.now(options, "session.intra_op.allow_spinning", "0")
  }
  // the runtime adds the time, which sessions made in the same millisecond share
  if (profile !== undefined) api.EnableProfiling.now(options, `${profile}-${++profiles}`)
  return options
}

/** Compiles a serialised ONNX model, on another thread. */
export const open = async (
  model: Uint8Array,
  inputs: ReadonlyArray<string>,
  outputs: ReadonlyArray<string>,
  options: SessionOptions
): Promise<Session> => {
  const api = ortApi()
  const { address, threads } = environmentOf(options.threads)
  const settings = optionsOf(options, threads)
  const place = new BigUint64Array(1)
  try {
    await api.CreateSessionFromArray.aside(address, addressOf(model), model.length, settings, addressOf(place))
  } finally {
    hold(model, place)
    api.ReleaseSessionOptions.now(settings)
  }
  const session = place[0] ?? 0n
  const [from, to] = [strings(inputs), strings(outputs)]
  return {
    run: async (given, made) => {
      const [ins, outs] = [BigUint64Array.from(given, BigInt), BigUint64Array.from(made, BigInt)]
      await api.Run.aside(
        session,
        0,
        addressOf(from.addresses),
        addressOf(ins),
        ins.length,
        addressOf(to.addresses),
        outs.length,
        addressOf(outs)
      )
      hold(from, to, ins, outs)
    },
    release: () => {
      if (options.profile !== undefined) {
        const allocator = created((at) => api.GetAllocatorWithDefaultOptions.now(at))
        const name = created((at) => api.SessionEndProfiling.now(session, allocator, at))
        api.AllocatorFree.now(allocator, name)
      }
      api.ReleaseSession.now(session)
    }
  }
}

/** A native tensor over `data`, which must stay alive until the tensor is released. */
export const value = (data: HostArray, shape: ReadonlyArray<number>): Value => {
  const memory = memoryInfo()
  const dims = BigInt64Array.from(shape, BigInt)
  return created((place) =>
    ortApi().CreateTensorWithDataAsOrtValue.now(
      memory,
      addressOf(data),
      data.byteLength,
      dims,
      dims.length,
      elementType(data),
      place
    )
  )
}

/** Ends a native tensor; its numbers stay. */
export const releaseValue = (tensor: Value): void => ortApi().ReleaseValue.now(tensor)
