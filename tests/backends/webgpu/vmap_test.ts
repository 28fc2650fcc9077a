/** vmap on a WebGPU device: the stack of the rows, in single precision. */
import fc from "fast-check";
import { bothWays, type Law, matrixRows } from "../../transforms/vmap_law.ts";
import { LAWS } from "../../transforms/vmap_laws.ts";
import { LOOPS } from "../../transforms/vmap_loops.ts";
import type { WebGpuDevice } from "../../../mod.ts";
import { assertLikeEager, gpuTest } from "./gpu.ts";

async function assertLawOn(gpu: WebGpuDevice, law: Law): Promise<void> {
  const { found, inputs } = bothWays(law);
  await assertLikeEager(gpu, found, inputs, { rtol: 2e-4, atol: 2e-4 });
}

/** What needs no float64, which devices do not have. */
const SINGLE = LAWS.filter(([op]) => op.name !== "cast");

for (const [op, laws] of SINGLE) {
  gpuTest(`vmap of ${op.name}() is the stack of its rows`, async (gpu) => {
    const [found] = fc.sample(laws, { seed: 17, numRuns: 1 });
    for (const law of found!.slice(0, 1)) await assertLawOn(gpu, law);
  });
}

for (const [name, f] of Object.entries(LOOPS)) {
  gpuTest(`vmap() of ${name}: each row for itself`, async (gpu) => {
    const rows = [matrixRows(3, 4, 5), matrixRows(3, 4, 8)];
    await assertLawOn(gpu, { f, rows, isMapped: [true, true] });
  });
}
