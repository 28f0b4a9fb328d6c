import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect } from "vitest"

/**
 * Compares a rendered text with the file of that name beside this one. A difference leaves `<name>-changed` for the eye;
 * `UPDATE_GOLDEN=1` takes the new text for the right one.
 */
export const golden = (name: string, text: string): void => {
  const file = fileURLToPath(new URL(name, import.meta.url))
  const changed = `${file}-changed`
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text)
  const known = existsSync(file) ? readFileSync(file, "utf8") : ""
  if (known === text) rmSync(changed, { force: true })
  else writeFileSync(changed, text)
  expect(text, `${name} differs: look at ${name}-changed, then UPDATE_GOLDEN=1`).toBe(known)
}
