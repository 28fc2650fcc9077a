/** What programs give does not depend on what their memory held before. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as cg from "../../mod.ts";
import { CpuExecutable } from "../../src/backends/cpu/executable.ts";
import { Memories } from "../../src/backends/cpu/kernels.ts";
import { optimize } from "../../src/program/optimize.ts";
import { record } from "../../src/program/record.ts";
import { broadcastingTensors, numbers } from "../ops/arbitraries.ts";
import { ROWS as ELEMENTWISE } from "../ops/elementwise_table.ts";
import { ROWS as STRUCTURAL } from "../ops/structural_table.ts";
import { build, inputs, programs } from "./random_programs.ts";

type Tensor = cg.Tensor;
type Call = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/** Memory that holds a byte everywhere: NaN, and numbers. */
class Filled extends Memories {
  readonly #byte: number;

  constructor(byte: number) {
    super();
    this.#byte = byte;
  }

  override take(bytes: number, shared: boolean): WebAssembly.Memory {
    const memory = super.take(bytes, shared);
    new Uint8Array(memory.buffer).fill(this.#byte);
    return memory;
  }
}

function assertIndependent(call: Call, given: readonly Tensor[]): void {
  const graph = optimize(record(given, (xs) => [call(...xs)].flat() as Tensor[]));
  const [fresh, ...others] = [0, 0xff, 0x41].map((byte) =>
    new CpuExecutable(graph, { memories: new Filled(byte) }).run(given).map(({ data }) => data)
  );
  for (const found of others) assertEquals(found, fresh);
}

const FEW = { seed: 11, numRuns: 4 };

Deno.test("elementwise operations do not show what memory held", () => {
  for (const { call, domain, kinks } of ELEMENTWISE) {
    const given = broadcastingTensors(domain.map((interval) => numbers(interval, kinks)));
    fc.assert(fc.property(given, (xs) => assertIndependent(call, xs)), FEW);
  }
});

Deno.test("structural operations do not show what memory held", () => {
  for (const { cases } of STRUCTURAL) {
    fc.assert(fc.property(cases, ({ inputs, call }) => assertIndependent(call, inputs)), FEW);
  }
});

Deno.test("random programs do not show what memory held", () => {
  fc.assert(
    fc.property(programs, inputs, (instructions, given) => {
      const f = cg.valueAndGrad(build(instructions), { argnums: [0, 1, 2] });
      assertIndependent((...xs) => f(...xs).flat() as Tensor[], given);
    }),
    { seed: 12, numRuns: 20 },
  );
});

Deno.test("memory is taken again where it fits", () => {
  const memories = new Memories();
  const first = memories.take(1_000_000, false);
  memories.give(first);
  assertEquals(memories.take(100_000, false) === first, false);
  assertEquals(memories.take(1_050_000, false), first);
  assertEquals(memories.take(1_000_000, false) === first, false);
  [first, ...[1, 2].map(() => new WebAssembly.Memory({ initial: 1 }))].forEach((memory) =>
    memories.give(memory)
  );
  assertEquals(memories.take(1_000_000, false) === first, false);
});
