import "@tensorflow/tfjs-backend-wasm"
import * as tf from "@tensorflow/tfjs-core"
import { elements } from "./Tensor.ts"

/** The gradient of a look-up, which tfjs' WebAssembly backend lacks: rows added up on the host. */
tf.registerKernel({
  kernelName: "UnsortedSegmentSum",
  backendName: "wasm",
  kernelFunc: ({ inputs, attrs }) => {
    const { x, segmentIds } = inputs
    const segments = Number(attrs?.["numSegments"] ?? 0)
    if (x === undefined || segmentIds === undefined) throw new RangeError("UnsortedSegmentSum takes x and segmentIds")
    const backend = tf.backend()
    const values = Float32Array.from(Object.values(backend.readSync(x.dataId)), Number)
    const ids = Int32Array.from(Object.values(backend.readSync(segmentIds.dataId)), Number)
    const inner = x.shape.slice(segmentIds.shape.length)
    const width = elements(inner)
    const sums = new Float32Array(segments * width)
    ids.forEach((id, row) => {
      for (let j = 0; j < width; j++)
        sums[id * width + j] = (sums[id * width + j] ?? 0) + (values[row * width + j] ?? 0)
    })
    return tf.engine().makeTensor(sums, [segments, ...inner], "float32")
  }
})
