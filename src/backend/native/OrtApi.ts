import { readdirSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import process from "node:process"
import * as koffi from "koffi"

/** An address in the process: of an object of ONNX Runtime, or of numbers. */
export type Address = number | bigint

/** The version of ONNX Runtime's C interface that is asked for; the library offers every earlier one. */
const interfaceVersion = 22

/** Bytes of stack that a native call may use: creating a session recurses along the graph. */
const stackSize = 8 * 1024 * 1024

/** A file's name: of wide characters on Windows. */
const path = process.platform === "win32" ? "str16" : "str"

/**
 * The functions of `OrtApi` (onnxruntime_c_api.h) that are used: their place in its table, which only ever grows at its end, and
 * the types of their arguments. Those that can fail give a status, the others nothing.
 */
const table = {
  CreateSessionFromArray: [8, "status", ["uintptr_t", "uintptr_t", "size_t", "uintptr_t", "uintptr_t"]],
  Run: [
    9,
    "status",
    ["uintptr_t", "uintptr_t", "uintptr_t", "uintptr_t", "size_t", "uintptr_t", "size_t", "uintptr_t"]
  ],
  CreateSessionOptions: [10, "status", ["void *"]],
  EnableProfiling: [14, "status", ["uintptr_t", path]],
  DisableMemPattern: [17, "status", ["uintptr_t"]],
  SetSessionLogSeverityLevel: [22, "status", ["uintptr_t", "int"]],
  SetSessionGraphOptimizationLevel: [23, "status", ["uintptr_t", "int"]],
  SetIntraOpNumThreads: [24, "status", ["uintptr_t", "int"]],
  SetInterOpNumThreads: [25, "status", ["uintptr_t", "int"]],
  CreateTensorWithDataAsOrtValue: [
    49,
    "status",
    ["uintptr_t", "uintptr_t", "size_t", "void *", "size_t", "int", "void *"]
  ],
  CreateCpuMemoryInfo: [69, "status", ["int", "int", "void *"]],
  AllocatorFree: [76, "status", ["uintptr_t", "uintptr_t"]],
  GetAllocatorWithDefaultOptions: [78, "status", ["void *"]],
  ReleaseSession: [95, "void", ["uintptr_t"]],
  ReleaseValue: [96, "void", ["uintptr_t"]],
  ReleaseSessionOptions: [100, "void", ["uintptr_t"]],
  SessionEndProfiling: [110, "status", ["uintptr_t", "uintptr_t", "void *"]],
  CreateEnvWithGlobalThreadPools: [119, "status", ["int", "str", "uintptr_t", "void *"]],
  DisablePerSessionThreads: [120, "status", ["uintptr_t"]],
  CreateThreadingOptions: [121, "status", ["void *"]],
  ReleaseThreadingOptions: [122, "void", ["uintptr_t"]],
  AddSessionConfigEntry: [130, "status", ["uintptr_t", "str", "str"]],
  CreateAndRegisterAllocator: [144, "status", ["uintptr_t", "uintptr_t", "uintptr_t"]],
  SetGlobalIntraOpNumThreads: [147, "status", ["uintptr_t", "int"]],
  SetGlobalInterOpNumThreads: [148, "status", ["uintptr_t", "int"]],
  SetGlobalSpinControl: [149, "status", ["uintptr_t", "int"]],
  ReleaseArenaCfg: [157, "void", ["uintptr_t"]],
  CreateArenaCfgV2: [164, "status", ["void *", "void *", "size_t", "void *"]]
} as const

/** What a native function takes: numbers, addresses, texts, and arrays by their address. */
export type Argument = Address | string | Uint8Array | BigInt64Array | BigUint64Array

/** A native function: called here and now, or on another thread while this one goes on. */
export interface NativeFunction {
  readonly now: (...given: ReadonlyArray<Argument>) => void
  readonly aside: (...given: ReadonlyArray<Argument>) => Promise<void>
}

/** ONNX Runtime's C interface, as far as it is used. */
export type OrtApi = { readonly [Name in keyof typeof table]: NativeFunction }

/** A function as koffi makes it callable: at once, or on a thread of its own with a callback. */
interface Loaded {
  (...given: ReadonlyArray<Argument>): Address
  readonly async: (...given: ReadonlyArray<Argument | ((error: unknown, result: Address) => void)>) => void
}

const isLoaded = (value: unknown): value is Loaded => typeof value === "function" && "async" in value

/** The address that koffi has read. */
const address = (value: unknown): Address => {
  if (typeof value === "number" || typeof value === "bigint") return value
  throw new TypeError(`${String(value)} is no address`)
}

/** The function at an address. */
const functionAt = (of: Address, result: string, given: ReadonlyArray<string>): Loaded => {
  const made: unknown = koffi.decode(of, koffi.proto(result, [...given]))
  if (isLoaded(made)) return made
  throw new TypeError("koffi made no function")
}

/** The shared library inside onnxruntime-node's package for this platform. */
const libraryPath = (): string => {
  const root = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"))
  const folder = join(root, "bin", "napi-v6", process.platform, process.arch)
  const name = readdirSync(folder).find((file) => /^(lib)?onnxruntime(\.[\d.]+)?\.(so(\.\d+)*|dylib|dll)$/.test(file))
  if (name === undefined) throw new Error(`onnxruntime-node has no library for ${process.platform} ${process.arch}`)
  return join(folder, name)
}

/** Calls on other threads that are under way at once; each has a stack of its own, and koffi takes no more than 64. */
const atOnce = 16

/** Lets so many calls begin at once; the others wait for the end of one. */
const makeTurns = () => {
  const waiting: Array<() => void> = []
  let running = 0
  return {
    begin: (call: () => void): void => {
      if (running === atOnce) return void waiting.push(call)
      running++
      call()
    },
    end: (): void => {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}

/** The interface, and the library that it lies in: koffi unloads a library that nothing refers to, whatever its functions. */
interface Open {
  readonly library: koffi.LibraryHandle
  readonly api: OrtApi
}

const load = (): Open => {
  koffi.config({ ...koffi.config(), sync_stack_size: stackSize, async_stack_size: stackSize, resident_async_pools: 2 })
  const library = koffi.load(libraryPath())
  const entry = (of: Address, index: number): Address =>
    address(koffi.decode(of, index * koffi.sizeof("void *"), "uintptr_t"))
  const base = address(library.func("OrtGetApiBase", "uintptr_t", [])())
  const api = functionAt(entry(base, 0), "uintptr_t", ["uint32_t"])(interfaceVersion)
  const at = (index: number, result: string, given: ReadonlyArray<string>): Loaded =>
    functionAt(entry(api, index), result, given)
  const turns = makeTurns()
  const messageOf = at(2, "str", ["uintptr_t"])
  const releaseStatus = at(93, "void", ["uintptr_t"])
  const failure = (status: Address | undefined): Error | undefined => {
    if (status === undefined || Number(status) === 0) return undefined
    const message = String(messageOf(status))
    releaseStatus(status)
    return new Error(message)
  }
  const bind = ([index, result, given]: (typeof table)[keyof typeof table]): NativeFunction => {
    const native = at(index, result === "status" ? "uintptr_t" : "void", given)
    return {
      now: (...all) => {
        const error = failure(native(...all))
        if (error !== undefined) throw error
      },
      aside: (...all) =>
        new Promise((resolve, reject) => {
          const end = (error: Error | undefined): void => {
            turns.end()
            if (error === undefined) resolve()
            else reject(error)
          }
          turns.begin(() => {
            try {
              native.async(...all, (error, status) => end(error instanceof Error ? error : failure(status)))
            } catch (cause) {
              end(cause instanceof Error ? cause : new Error(String(cause)))
            }
          })
        })
    }
  }
  return { library, api: each(table, bind) }
}

/** The record with every value turned into another. */
function each<T extends object, To>(record: T, f: (value: T[keyof T]) => To): { readonly [K in keyof T]: To }
function each<From, To>(record: { readonly [name: string]: From }, f: (value: From) => To) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value)]))
}

let open: Open | undefined

/** ONNX Runtime's C interface, loaded when it is first asked for; throws where the platform has no library. */
export const ortApi = (): OrtApi => (open ??= load()).api

/** The address that a native function writes through its last argument. */
export const created = (make: (place: BigUint64Array) => void): Address => {
  const place = new BigUint64Array(1)
  make(place)
  return place[0] ?? 0n
}

/** The address of numbers, which stay where they are as long as the array lives. */
export const addressOf = (numbers: ArrayBufferView): Address => koffi.address(numbers)
