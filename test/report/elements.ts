const empty = new Set(["meta", "br", "hr", "img", "input", "link"])

/** The elements of a piece of HTML by name, and those that are left open, or closed without having been opened. */
export const elements = (
  html: string
): { readonly names: ReadonlyArray<string>; readonly left: ReadonlyArray<string> } => {
  const names: Array<string> = []
  const open: Array<string> = []
  const wrong: Array<string> = []
  const bare = html.replace(/<style>[\s\S]*?<\/style>/g, "").replace(/<!doctype html>/i, "")
  for (const [, close, name = "", , self] of bare.matchAll(
    /<(\/?)([a-z][\w-]*)((?:"[^"]*"|[^"/>]|\/(?!>))*)(\/?)>/gi
  )) {
    if (close === "/") {
      if (open.pop() !== name) wrong.push(`</${name}>`)
    } else {
      names.push(name)
      if (self !== "/" && !empty.has(name)) open.push(name)
    }
  }
  return { names, left: [...open, ...wrong] }
}
