import * as tf from "@tensorflow/tfjs-core"

/**
 * Runs a kernel that exists only while tracing: one native operator instead of the chain of tfjs kernels its eager twin is made of.
 * The eager twin stays the oracle: it is differentiated by tfjs, the traced one by its own backward rule.
 */
export const run = (
  kernel: string,
  inputs: tf.NamedTensorMap,
  attributes: tf.NamedAttrMap = {}
): ReadonlyArray<tf.Tensor> => {
  const result: tf.Tensor | Array<tf.Tensor> = tf.engine().runKernel(kernel, inputs, attributes)
  return Array.isArray(result) ? result : [result]
}

/** The first tensor a kernel made. */
export const first = (tensors: ReadonlyArray<tf.Tensor>): tf.Tensor => {
  const [tensor] = tensors
  if (tensor === undefined) throw new RangeError("the kernel made no tensor")
  return tensor
}

/** The gradient that reached a kernel's first output. */
export const upstream = (dy: tf.Tensor | Array<tf.Tensor>): tf.Tensor => (Array.isArray(dy) ? first(dy) : dy)

/** The tensor, as a constant to differentiation. */
export const detached = tf.customGrad((x) => {
  const constant = Array.isArray(x) ? first(x) : x
  if (!(constant instanceof tf.Tensor)) throw new RangeError("only a tensor can be detached")
  return { value: tf.clone(constant), gradFunc: (dy) => tf.zerosLike(upstream(dy)) }
})

/** Registers the backward rule of a traced kernel: its inputs are saved, and `backward` gives one gradient for each. */
export const registerGradient = (
  kernel: string,
  inputs: ReadonlyArray<string>,
  savedOutputs: ReadonlyArray<boolean>,
  backward: (dy: tf.Tensor, saved: ReadonlyArray<tf.Tensor>, attributes: tf.NamedAttrMap) => ReadonlyArray<tf.Tensor>
): void => {
  tf.registerGradient({
    kernelName: kernel,
    inputsToSave: [...inputs],
    outputsToSave: [...savedOutputs],
    gradFunc: (dy, saved, attributes) => {
      let gradients: ReadonlyArray<tf.Tensor> | undefined
      const at = (i: number) => () => {
        gradients ??= backward(upstream(dy), saved, attributes)
        const gradient = gradients[i]
        if (gradient === undefined) throw new RangeError(`${kernel} has no gradient for ${inputs[i]}`)
        return gradient
      }
      return Object.fromEntries(inputs.map((name, i) => [name, at(i)]))
    }
  })
}
