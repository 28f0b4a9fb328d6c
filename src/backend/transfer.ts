import * as Effect from "effect/Effect"
import type { BackendShape } from "./Backend.ts"
import type { DeviceTensor, HostTensor, MapTree } from "./Tensor.ts"
import * as Tree from "./Tree.ts"

/** Whether a value is a tensor on the host. */
export const isHost: Tree.IsLeaf<HostTensor> = (value): value is HostTensor => Tree.isSpec(value) && "data" in value

/** A tree of live tensors: what is uploaded, run through compiled texts, and released. */
export type DeviceTree<T> = MapTree<T, HostTensor, DeviceTensor>

/** Uploads every leaf of a tree of host tensors. */
export const upload = <T>(backend: BackendShape, tree: T): Effect.Effect<MapTree<T, HostTensor, DeviceTensor>> =>
  Effect.gen(function* () {
    const made = new Map<string, DeviceTensor>()
    for (const [path, value] of Tree.entries(tree, isHost)) made.set(path, yield* backend.upload(value))
    return Tree.map(tree, isHost, (_, path) => Tree.find(made, path))
  })

/** Reads every leaf of a tree of live tensors. */
const read = <T>(
  tree: T,
  how: (tensor: DeviceTensor) => Effect.Effect<HostTensor>
): Effect.Effect<MapTree<T, DeviceTensor, HostTensor>> =>
  Effect.gen(function* () {
    const made = new Map<string, HostTensor>()
    for (const [path, value] of Tree.entries(tree, Tree.isDevice)) made.set(path, yield* how(value))
    return Tree.map(tree, Tree.isDevice, (_, path) => Tree.find(made, path))
  })

/** Copies every leaf of a tree of live tensors to the host. */
export const download = <T>(backend: BackendShape, tree: T): Effect.Effect<MapTree<T, DeviceTensor, HostTensor>> =>
  read(tree, backend.download)

/** The values of every leaf of a tree of live tensors, in place where the backend can: to be read before they change or end. */
export const peek = <T>(backend: BackendShape, tree: T): Effect.Effect<MapTree<T, DeviceTensor, HostTensor>> =>
  read(tree, backend.peek)

/** Releases every leaf of a tree of live tensors. */
export const release = (backend: BackendShape, tree: unknown): Effect.Effect<void> =>
  Effect.forEach(Tree.entries(tree, Tree.isDevice), ([, tensor]) => backend.release(tensor), { discard: true })
