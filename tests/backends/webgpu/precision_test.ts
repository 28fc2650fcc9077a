/** Means, lengths and what is made of them on a device, which has no float64 to add up in. */
import { assertLessOrEqual } from "@std/assert";
import { compile, type Tensor } from "../../../mod.ts";
import { PRECISION_CASES, worstError } from "../../ops/precision_cases.ts";
import { gpuTest, readAll } from "./gpu.ts";

for (const { name, f, x } of PRECISION_CASES) {
  gpuTest(`${name} has the digits of float32 on a device`, async (gpu) => {
    await using program = await compile(f as (x: Tensor) => Tensor[], [x], { device: gpu });
    const results = await program(x);
    const [exact, found] = [f(x.cast("float64")), await readAll(results)];
    for (const result of results) result.dispose();
    found.forEach((y, i) => assertLessOrEqual(worstError(y, exact[i]!), 1e-5, `result ${i}`));
  });
}
