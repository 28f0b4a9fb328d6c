// cephes 3.3.3 brings types, but its "exports" do not point at them: these are its signatures that are used here.
declare module "cephes" {
  /** Settled when the WebAssembly module is compiled. */
  export const compiled: Promise<void>
  /** Student's t distribution with `k` (a whole number) degrees of freedom: the probability of a value below `t`. */
  export const stdtr: (k: number, t: number) => number
  /** The inverse of `stdtr`: the value below which the probability is `p`. */
  export const stdtri: (k: number, p: number) => number
}
