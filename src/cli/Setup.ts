import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type { Backend } from "../backend/index.ts"
import type { CellRun, RunStore } from "../experiment/index.ts"
import type { Spec } from "../spec/index.ts"

/** A backend and what is hashed of it. */
export interface ProvidedBackend {
  readonly spec: Spec.Spec
  readonly layer: Layer.Layer<Backend>
}

/** What the commands run with; `main.ts` decides it, so that no command names a concrete layer. */
export interface SetupShape {
  /** The version of this package. */
  readonly version: string
  /** The machine as a cell's provenance names it. */
  readonly machine: Effect.Effect<CellRun.Machine>
  /** The versions of homodistil, Node and what computes, for provenance. */
  readonly versions: { readonly [name: string]: string }
  /** Cores of the machine. */
  readonly cores: number
  /** The folder of the package, where its assets are. */
  readonly root: string
  /** The folder of the experiments that have names. */
  readonly experiments: string
  /** How this program is started again, for processes that run cells; without it they are run in this one. */
  readonly program?: { readonly module: string; readonly nodeOptions: ReadonlyArray<string> }
  /** A backend whose sessions have so many threads. */
  readonly backend: (threads: number) => ProvidedBackend
  /** The store of finished cells in a folder. */
  readonly store: (folder: string) => Layer.Layer<RunStore, never, FileSystem.FileSystem | Path.Path>
}

/** What the commands run with. */
export class Setup extends Context.Service<Setup, SetupShape>()("homodistil/Setup") {}
