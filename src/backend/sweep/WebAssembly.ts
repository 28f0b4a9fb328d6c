// TypeScript declares WebAssembly for browsers alone; this is the part that sweeps use.

/** Memory that grows in place. With `shared`, arrays over earlier buffers stay good. */
export interface Memory {
  readonly buffer: SharedArrayBuffer
  /** Adds pages of 64 KiB; a `RangeError` where there are no more. */
  readonly grow: (pages: number) => number
}

/** Compiled code, which threads share. */
export interface Module {
  readonly [Symbol.toStringTag]: "WebAssembly.Module"
}

declare const WebAssembly: {
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number; readonly shared: true }) => Memory
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => Module
  readonly Instance: new (
    module: Module,
    imports: { readonly env: { readonly memory: Memory } }
  ) => { readonly exports: { readonly [name: string]: unknown } }
}

/** A shared memory of one page that grows up to `maximum`; a `RangeError` where the machine does not reserve so much. */
export const memory = (maximum: number): Memory => new WebAssembly.Memory({ initial: 1, maximum, shared: true })

/** Compiles the bytes of a module. */
export const compile = (bytes: Uint8Array<ArrayBuffer>): Module => new WebAssembly.Module(bytes)

/** What a module's instance over a memory exports. */
export const instantiate = (module: Module, memory: Memory): { readonly [name: string]: unknown } =>
  new WebAssembly.Instance(module, { env: { memory } }).exports

/** Whether a value is such a memory. */
export const isMemory = (value: unknown): value is Memory => value instanceof WebAssembly.Memory

/** Whether a value is compiled code. */
export const isModule = (value: unknown): value is Module => value instanceof WebAssembly.Module
