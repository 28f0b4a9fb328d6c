#!/usr/bin/env node
// The command `homodistil`. In a checkout it runs the sources, in an installed package the compiled `dist/`;
// on a Node that is too old it hands over to the one that came as an optional dependency.
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import nodeModule, { createRequire } from "node:module"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath, pathToFileURL } from "node:url"

const required = "22.19"
const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const source = join(root, "src", "main.ts")
const compiled = join(root, "dist", "main.js")
const inCheckout = existsSync(source) && !root.includes("node_modules")

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
const recent = major > 22 || (major === 22 && minor >= 19)

const node = recent ? process.execPath : suppliedNode()
if (node === undefined) {
  console.error(
    `homodistil: node = ${process.versions.node}: must be at least ${required}; install Node ${required} or newer, ` +
      "or reinstall without --omit=optional where a Node package exists for this platform"
  )
  process.exitCode = 2
} else if (!inCheckout && !existsSync(compiled)) {
  console.error(`homodistil: dist/main.js = missing: must be built; run "npm run build" in ${root}`)
  process.exitCode = 2
} else if (recent && !inCheckout) {
  nodeModule.enableCompileCache()
  await import(pathToFileURL(compiled).href)
} else {
  become(node, [...(inCheckout ? ["-C", "homodistil-source", source] : [compiled]), ...process.argv.slice(2)])
}

/** The Node of this platform's optional dependency, if it is installed. */
function suppliedNode() {
  const platform = process.platform === "win32" ? "win" : process.platform
  const name = `node-${platform}-${process.arch}`
  const file = process.platform === "win32" ? "node.exe" : "node"
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), "bin", file)
    return existsSync(path) ? path : undefined
  } catch {
    return undefined
  }
}

/**
 * Runs a command in this process's place: the process itself where the system can, elsewhere a child that gets its signals.
 * @param {string} command
 * @param {ReadonlyArray<string>} args
 */
function become(command, args) {
  // what was compiled once need not be again: a third of a short command's time
  const env = { NODE_COMPILE_CACHE: join(root, ".cache", "compile"), ...process.env }
  if (process.platform !== "win32" && typeof process.execve === "function") {
    process.execve(command, [command, ...args], env)
  }
  const child = spawn(command, args, { stdio: "inherit", env })
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
    process.on(signal, () => child.kill(signal))
  child.on("error", (error) => {
    console.error(`homodistil: cannot start ${command}: ${error.message}`)
    process.exitCode = 2
  })
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 143)
  })
}
