/**
 * What a core of this machine can do at most in WebAssembly: vectors of four numbers, multiplied and
 * added.
 *
 * @module
 */
import { hasRelaxedSimd } from "../../kernels/wasm/features.ts";
import { ModuleBuilder } from "../../kernels/wasm/module.ts";
import { f32x4 } from "../../kernels/wasm/simd.ts";
import { f32, i32 } from "../../kernels/wasm/value.ts";

/** Sums side by side: enough that no result is waited for, and they fit the registers. */
const CHAINS = 12;

/** Steps of a run, and runs, of which the fastest counts. */
const STEPS = 2 ** 22;
const RUNS = 9;

/** Floating-point operations per millisecond, where nothing is read or written. */
export function measurePeak(relaxed: boolean = hasRelaxedSimd()): number {
  const module = new ModuleBuilder({ from: "export", pages: 1 });
  const run = module.addFunction({ steps: "i32" }, (code, { steps }) => {
    const [x, y] = [0.999, 1e-3].map((value) => code.let(f32x4.splat(f32.const(value))));
    const sums = Array.from({ length: CHAINS }, (_, i) => code.let(f32x4.splat(f32.const(i))));
    code.repeat(() => {
      for (const sum of sums) {
        const next = relaxed ? f32x4.relaxedMadd(sum, x!, y!) : f32x4.add(f32x4.mul(sum, x!), y!);
        code.set(sum, next);
      }
      code.increase(steps, -1);
    }, i32.gtS(steps, 0));
    for (const sum of sums) code.store("v128", i32.const(0), sum);
  });
  module.exportFunction("run", run);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()));
  const work = exports.run as (steps: number) => void;
  work(STEPS);
  const times = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    work(STEPS);
    return performance.now() - start;
  });
  return STEPS * CHAINS * 8 / Math.min(...times);
}
