import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

// A mirror of the npm registry may lack the binaries of other platforms. npm then leaves them out of the lock file, and
// `npm ci` refuses that lock. This adds an entry for each: which platform it is for is read from its name, so that npm
// passes over it elsewhere, and its own platform installs the exact version. Run it after `npm install` said "Missing".

interface Platform {
  readonly cpu: ReadonlyArray<string>
  readonly libc?: ReadonlyArray<string>
  readonly os: ReadonlyArray<string>
}

interface Entry extends Partial<Platform> {
  readonly version?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Lock {
  readonly packages: Readonly<Record<string, Entry>>
}

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"]
const processors = ["arm", "arm64", "ia32", "loong64", "ppc64", "riscv64", "s390x", "x64"]

const isLock = (value: unknown): value is Lock => typeof value === "object" && value !== null && "packages" in value

const platformOf = (name: string): Platform | undefined => {
  const words = name.split(/[-/]/)
  const os = words.find((word) => systems.includes(word))
  const cpu = words.find((word) => processors.includes(word))
  const last = words.at(-1) ?? ""
  const libc = last.startsWith("musl") ? "musl" : last.startsWith("gnu") ? "glibc" : undefined
  return os === undefined || cpu === undefined ? undefined : { cpu: [cpu], os: [os], ...(libc && { libc: [libc] }) }
}

const file = fileURLToPath(new URL("../package-lock.json", import.meta.url))
const lock: unknown = JSON.parse(readFileSync(file, "utf8"))
if (!isLock(lock)) throw new Error("package-lock.json: must hold packages; make it again with npm install")

const added = Object.values(lock.packages).flatMap(({ dev, optionalDependencies = {} }) =>
  Object.entries(optionalDependencies).flatMap(([name, version]): ReadonlyArray<readonly [string, Entry]> => {
    const path = `node_modules/${name}`
    const platform = platformOf(name)
    if (path in lock.packages || platform === undefined || !/^\d+\.\d+\.\d+/.test(version)) return []
    const { cpu, libc, os } = platform
    return [[path, { version, cpu, ...(dev && { dev }), ...(libc && { libc }), optional: true, os }]]
  })
)

const [root, ...others] = [...Object.entries(lock.packages), ...added]
const sorted = [root, ...others.toSorted(([a], [b]) => a.localeCompare(b, "en"))].filter((each) => each !== undefined)
const complete = { ...lock, packages: Object.fromEntries(sorted) }
if (added.length > 0) writeFileSync(file, `${JSON.stringify(complete, null, 2)}\n`)
console.log(`${added.length} entries added`)
