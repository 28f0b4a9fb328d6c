export * as Schedule from "./schedules.ts"
