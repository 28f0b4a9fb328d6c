import * as Effect from "effect/Effect"
import type { Job, Reply, Request } from "../Job.ts"

/** What a kind of job is given: the job, and the folder with its numbers. */
export interface Given {
  readonly job: Job
  readonly folder: string
}

/** What a request is answered with; memory is added where replies are written. */
export type Answer = Omit<Reply, "peak" | "resident">

/** Answers requests. */
export type Serve<E> = (request: Request) => Effect.Effect<Answer, E>

/** Serves steps, each of which gives its loss; `act` is given the number of steps done before. */
export const stepping = <E>(act: (done: number) => Effect.Effect<number, E>): Serve<E> => {
  let done = 0
  return ({ steps }) =>
    Effect.gen(function* () {
      const ms: Array<number> = []
      const losses: Array<number> = []
      for (let i = 0; i < steps; i++) {
        const begin = performance.now()
        losses.push(yield* act(done))
        ms.push(performance.now() - begin)
        done++
      }
      return { ms, losses, finals: {} }
    })
}
