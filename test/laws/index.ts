export * as LossLaws from "./losses.ts"
export * as PlanLaws from "./plans.ts"
export * as ScheduleLaws from "./schedules.ts"
export * as ScorerLaws from "./scorers.ts"
