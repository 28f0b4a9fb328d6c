import * as Layer from "effect/Layer"
import { Method, StudentInit, Training } from "homodistil/distill"
import { Experiment } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import * as Loss from "homodistil/loss"
import { Spec } from "homodistil/spec"

const rest = { name: "mine", title: "Mine", measure: [], seeds: 3, baseline: "platon" }
const scorers = [Scorer.layer(Scorer.platon())]

Experiment.make({ ...rest, method: Method.homoDistil(), vary: { scorer: scorers } })
Experiment.make({
  ...rest,
  method: Method.homoDistil(),
  vary: { scorer: scorers, student: [StudentInit.layer(StudentInit.random)] }
})

// a method that lacks a service
Experiment.make({ ...rest, method: Loss.layer(Loss.homoDistil()), vary: { scorer: scorers } }) // error: GranularityService
const almost = Layer.mergeAll(
  Loss.layer(Loss.homoDistil()),
  Scorer.layer(Scorer.platon()),
  Training.layer(Training.make())
)
Experiment.make({ ...rest, method: almost, vary: {} }) // error: GranularityService

// a vary that offers something no method takes
Experiment.make({ ...rest, method: Method.homoDistil(), vary: { scorre: scorers } }) // error: 'scorre' does not exist
Experiment.make({ ...rest, method: Method.homoDistil(), vary: { loss: scorers } }) // error: LossService
Experiment.make({ ...rest, method: Method.homoDistil(), vary: { scorer: [Scorer.platon()] } }) // error: 'Layer<ScorerService

// a measure that is not one
Experiment.make({ ...rest, measure: [{ spec: Spec.make("mine") }], method: Method.homoDistil(), vary: {} }) // error: columns
