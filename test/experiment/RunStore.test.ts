import * as Effect from "effect/Effect"
import { layerMemory } from "homodistil/experiment"
import { runStoreSuite } from "./runStoreSuite.ts"

runStoreSuite("memory", (effect) => Effect.runPromise(effect.pipe(Effect.provide(layerMemory))))
