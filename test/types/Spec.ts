import { Digest, Seed, Spec } from "homodistil/spec"

/** Whether two types are the same, by TypeScript's own notion of identity. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <_T extends true>(): void => {}

holds<Same<ReturnType<typeof Seed.make>, Seed.Seed>>()
holds<Same<ReturnType<typeof Digest.of>, string>>()

Seed.make({}) // error: not assignable to parameter of type 'string | number'
Seed.child(0, "mask") // error: not assignable to parameter of type 'Seed'
Spec.make("platon", { options: { at: new Map() } }) // error: not assignable to type 'Json'
Spec.make("platon").name = "other" // error: read-only property
