import * as Effect from "effect/Effect"
import { DistillPlan, Method } from "homodistil/distill"
import { Listing } from "homodistil/report"

const yesNo = (value: boolean): string => (value ? "yes" : "no")

/** Table 2 of the paper: the methods from the pruning point of view, read off what each of them really provides. */
export default Listing.make({
  name: "table2",
  title: "Table 2: methods by their properties",
  table: () => ({
    title: "Table 2: methods by their properties",
    caption: "Every entry is derived from the specs of the components that a method provides.",
    rowHeader: "Method",
    columns: [
      { id: "initialisation", name: "Student starts" },
      { id: "pruning", name: "Pruning" },
      { id: "criterion", name: "Criterion" },
      { id: "granularity", name: "Granularity" },
      { id: "teacher", name: "Teacher" },
      { id: "taskAgnostic", name: "Task-agnostic" },
      { id: "losses", name: "Losses" }
    ],
    rows: Object.entries(Method.all).map(([name, method]) => {
      const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(method({}))))
      const { taskAgnostic, losses, teacher, ...texts } = Method.properties(plan)
      return {
        name,
        cells: { ...texts, teacher: yesNo(teacher), taskAgnostic: yesNo(taskAgnostic), losses: losses.join(", ") }
      }
    })
  })
})
