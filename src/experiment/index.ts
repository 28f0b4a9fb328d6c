export * as Statistics from "./Statistics.ts"
