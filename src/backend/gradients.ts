// The gradients of tfjs' kernels are registered by its umbrella package only; this room otherwise needs its core alone.
import "@tensorflow/tfjs"
import * as tf from "@tensorflow/tfjs-core"

// tfjs advises every user of its plain JavaScript backend to install another; here that backend is the oracle.
tf.env().set("PROD", true)
