import { readFileSync } from "node:fs"
import { cpus, loadavg, totalmem } from "node:os"
import process from "node:process"

/** What the numbers were measured on. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly features: string
  readonly memory: string
  readonly node: string
}

const linesOf = (file: string): ReadonlyArray<string> => {
  try {
    return readFileSync(file, "utf8").split("\n")
  } catch {
    return []
  }
}

const field = (file: string, name: string): string | undefined =>
  linesOf(file)
    .find((line) => line.startsWith(name))
    ?.split(":")[1]
    ?.trim()

/** This machine; family and model are named too, since virtual machines often hide the processor's name. */
export const here = (): Machine => {
  const info = (name: string): string => field("/proc/cpuinfo", name) ?? "?"
  const wide = ["avx2", "avx512f", "avx512_bf16", "amx_tile"].filter((flag) => info("flags").split(" ").includes(flag))
  return {
    cpu: `${cpus()[0]?.model.trim() ?? "unknown CPU"} (family ${info("cpu family")}, model ${info("model\t")})`,
    cores: cpus().length,
    features: wide.join(" "),
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version
  }
}

/** What is to be said where other programs work beside the benchmark; nothing on an idle machine. */
export const busy = (): string | undefined => {
  const [load = 0] = loadavg()
  return load > 0.5 ? `the machine is busy (load ${load.toFixed(1)}): the numbers tell little` : undefined
}

const bytes = (name: string): number => 1024 * Number.parseInt(field("/proc/self/status", name) ?? "0", 10)

/** The most memory this process ever held, and what it holds now; 0 where the system does not tell. */
export const memory = (): { readonly peak: number; readonly resident: number } => ({
  peak: bytes("VmHWM"),
  resident: bytes("VmRSS")
})
