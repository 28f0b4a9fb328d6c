import { describe, expect, it } from "vitest"
import { byKernel, type Event, readTrace } from "../../bench/Profile.ts"

const kernel = (op: string, dur: number): Event => ({
  cat: "Node",
  name: `node_${op}_kernel_time`,
  dur,
  args: { op_name: op }
})
const fence: Event = { cat: "Node", name: "node_Gemm_fence_before", dur: 5, args: { op_name: "Gemm" } }
const run = (dur: number): Event => ({ cat: "Session", name: "model_run", dur })
const loading: Event = { cat: "Session", name: "model_loading_array", dur: 900 }

describe("Profile", () => {
  const cold = [kernel("Gemm", 9000), run(10_000)]
  const warm = [kernel("Gemm", 2000), fence, kernel("Add", 500), kernel("Gemm", 1000), run(4000)]
  const events = [loading, ...cold, ...warm, ...warm]

  it("sums kernels over runs, the slowest first", () => {
    expect(byKernel(events, 1)).toEqual({
      runs: 2,
      runMs: 4,
      kernels: [
        { kernel: "Gemm", msPerRun: 3, share: 6 / 7, nodesPerRun: 2 },
        { kernel: "Add", msPerRun: 0.5, share: 1 / 7, nodesPerRun: 1 }
      ]
    })
  })

  it("counts the cold runs unless they are left out", () => {
    expect(byKernel(events).runs).toBe(3)
    expect(byKernel(events).kernels[0]?.msPerRun).toBeCloseTo(15 / 3, 9)
  })

  it("is empty where nothing ran", () => {
    expect(byKernel([loading])).toEqual({ runs: 0, runMs: 0, kernels: [] })
    expect(byKernel([loading, ...cold], 3)).toEqual({ runs: 0, runMs: 0, kernels: [] })
  })

  it("reads the runtime's JSON, whatever else stands in it", () => {
    const text = `[{"cat":"Node","pid":1,"tid":2,"dur":7,"ts":3,"ph":"X","name":"a_kernel_time","args":{"op_name":"Gemm","provider":"CPU"}},
      {"cat":"Session","pid":1,"tid":2,"dur":8,"ts":3,"ph":"X","name":"model_run","args":{}}]`
    expect(byKernel(readTrace(text)).kernels).toEqual([{ kernel: "Gemm", msPerRun: 0.007, share: 1, nodesPerRun: 1 }])
  })
})
