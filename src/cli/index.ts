export * as Cli from "./Cli.ts"
export * as Provenance from "./Provenance.ts"
export * as Screen from "./Screen.ts"
export * as Setup from "./Setup.ts"
