/**
 * How does the time to compile grow with a program? Families of graphs, from 100 to 50,000 steps, to
 * where one takes longer than a minute.
 *
 * @module
 */
import { compile, type Tensor, zeros } from "@cellgrad/cellgrad";
import { textTable } from "../examples/lib/table.ts";
import { record } from "../src/program/record.ts";
import { FAMILIES, type Family } from "./compile_families.ts";

const SIZES = [100, 1000, 10_000, 50_000];
const LONGEST_S = 60;

/** How many steps a function is recorded as. */
function countSteps({ shapes, f }: Family, n: number): number {
  const specs = shapes(n).map((shape) => ({ shape, dtype: "float32" as const }));
  return record(specs, (inputs) => [f(n)(...inputs)].flat()).steps.length;
}

async function secondsOf({ shapes, f }: Family, n: number): Promise<number> {
  const inputs = shapes(n).map((shape) => zeros(shape));
  const start = performance.now();
  await using program = await compile((...xs: Tensor[]) => f(n)(...xs), inputs);
  const seconds = (performance.now() - start) / 1000;
  await program(...inputs);
  return seconds;
}

const rows: string[][] = [];
for (const family of FAMILIES) {
  const perUnit = countSteps(family, 100) / 100;
  let last = 0;
  for (const steps of SIZES) {
    if (last > LONGEST_S / 5) break;
    const n = Math.max(1, Math.round(steps / perUnit));
    last = await secondsOf(family, n);
    const each = `${(1e6 * last / steps).toFixed(0)} µs`;
    rows.push([family.name, String(steps), last.toFixed(2), each]);
  }
}
console.log(textTable(["family", "steps", "seconds", "per step"], rows));
