const token = /"(?:[^"\\]|\\.)*"|[{}[\],]/g

/**
 * A key that an object of a JSON text holds twice, `undefined` where there is none: parsers keep the last of them in silence, and two
 * programs that keep different ones see different files. The text must be JSON.
 */
export const duplicateKey = (text: string): string | undefined => {
  // of each object and list that is open, the keys so far; a list has none
  const open: Array<Set<string> | undefined> = []
  let mayBeKey = false
  for (const [found] of text.matchAll(token)) {
    if (found === "{" || found === "[") open.push(found === "{" ? new Set() : undefined)
    else if (found === "}" || found === "]") open.pop()
    const keys = open.at(-1)
    if (mayBeKey && keys !== undefined && found.startsWith('"')) {
      const key = String(JSON.parse(found))
      if (keys.has(key)) return key
      keys.add(key)
    }
    mayBeKey = found === "{" || found === ","
  }
  return undefined
}
