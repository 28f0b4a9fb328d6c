import * as Effect from "effect/Effect"

/** Turns of runs that work one at a time: whoever has come the least far goes next, the first of them among equals. */
export interface Turns {
  /** Ends one's turn and waits for the next; `position` is how far one has come. */
  readonly wait: (member: number, position: number) => Effect.Effect<void>
  /** Leaves for good: nobody waits for that one any more. */
  readonly leave: (member: number) => Effect.Effect<void>
  /** Those who have come exactly so far. */
  readonly at: (position: number) => ReadonlyArray<number>
}

/** The position of a member that has not had its first turn. */
export const before = -1

/**
 * Turns for so many members, who are numbered from 0 and all take part: the first turn waits for each of them to ask.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Turns } from "homodistil/distill"
 * const order: Array<string> = []
 * const turns = Turns.make(2)
 * const member = (i: number) =>
 *   Effect.forEach([0, 1], (position) =>
 *     Effect.andThen(turns.wait(i, position), Effect.sync(() => order.push(`${i}${position}`)))
 *   ).pipe(Effect.ensuring(turns.leave(i)))
 * await Effect.runPromise(Effect.forEach([0, 1], member, { concurrency: "unbounded" }))
 * assert.deepEqual(order, ["00", "10", "01", "11"])
 * ```
 */
export const make = (members: number): Turns => {
  const positions = new Map(Array.from({ length: members }, (_, member) => [member, before]))
  const waiting = new Map<number, () => void>()
  let working: number | undefined
  const next = (): void => {
    if (working !== undefined) return
    const least = Math.min(...positions.values())
    const [first] = [...positions].find(([, position]) => position === least) ?? []
    // where the one to go next has not come to ask, nobody overtakes it
    const go = first === undefined ? undefined : waiting.get(first)
    if (first === undefined || go === undefined) return
    waiting.delete(first)
    working = first
    go()
  }
  const end = (member: number): void => {
    if (working === member) working = undefined
  }
  return {
    wait: (member, position) =>
      Effect.callback<void>((resume) => {
        positions.set(member, position)
        waiting.set(member, () => resume(Effect.void))
        end(member)
        next()
        return Effect.sync(() => void waiting.delete(member))
      }),
    leave: (member) =>
      Effect.sync(() => {
        positions.delete(member)
        waiting.delete(member)
        end(member)
        next()
      }),
    at: (position) => [...positions].flatMap(([member, at]) => (at === position ? [member] : []))
  }
}
