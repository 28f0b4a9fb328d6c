import { setTimeout as sleep } from "node:timers/promises"
import type { Reply, Request } from "./Job.ts"
import type { Side } from "./Side.ts"

/** Milliseconds between two turns, in which the threads of the side that worked go to sleep. */
const pause = 300

/** A side under its name. */
export interface Named {
  readonly name: string
  readonly side: Side
}

/** The replies of each side, one a round. */
export type Replies = ReadonlyMap<string, ReadonlyArray<Reply>>

/** Every side takes its turn in each round, in one order and then in the other, so that what drifts does so for all. */
export const alternate = async (
  sides: ReadonlyArray<Named>,
  rounds: number,
  request: Request,
  onRound: (round: number) => void = () => undefined
): Promise<Replies> => {
  const replies = new Map(sides.map(({ name }): [string, Array<Reply>] => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, side } of round % 2 === 0 ? sides : sides.toReversed()) {
      await sleep(pause)
      replies.get(name)?.push(await side.ask(request))
    }
    onRound(round)
  }
  return replies
}

/** Milliseconds a step in a turn whose first step, which finds the caches cold, does not count. */
export const perStep = ({ ms }: Reply): number => {
  const counted = ms.length > 1 ? ms.slice(1) : ms
  return counted.reduce((sum, each) => sum + each, 0) / counted.length
}

/** The sum of a turn's times: that of whole runs. */
export const whole = ({ ms }: Reply): number => ms.reduce((sum, each) => sum + each, 0)

/** The most memory a side ever held, in bytes. */
export const peakOf = (replies: ReadonlyArray<Reply>): number => replies.at(-1)?.peak ?? Number.NaN
