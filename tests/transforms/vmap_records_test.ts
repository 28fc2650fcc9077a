/** `vmap` of every record of an operation: the stack of what it gives for every row. */
import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import fc from "fast-check";
import { foldIn, key, stack, type Tensor, tensor, vmap } from "../../mod.ts";
import type { CheckOp, Op, RandomOp } from "../../src/op.ts";
import * as labels from "../../src/labels.ts";
import * as ranges from "../../src/ranges.ts";
import * as samplers from "../../src/random/ops.ts";
import { sparseProductOp } from "../../src/ops/sparse_product.ts";
import { gatherOp, putAlongAxisOp, scatterAddOp, takeAlongAxisOp } from "../../src/ops/select.ts";
import { apply } from "../../src/trace.ts";
import { assertListed } from "../guards.ts";
import { COUNT, LAWS } from "./vmap_laws.ts";
import { assertCompiledLaw, assertLaw, type Law, turns } from "./vmap_law.ts";

for (const [op, laws] of LAWS) {
  const first = LAWS.find(([other]) => other.name === op.name)![0];
  const label = first === op ? `${op.name}()` : `${op.name}() with a constant`;

  Deno.test(`vmap of ${label} is the stack of its rows, with gradients`, () => {
    let count = 0;
    fc.assert(
      fc.property(laws, (found) => {
        for (const law of found) assertLaw(law);
        count += found.length;
      }),
      { seed: 15, numRuns: 25 },
    );
    assertGreater(count, 0);
  });

  Deno.test(`vmap of ${label} is the same in programs`, async () => {
    for (const found of fc.sample(laws, { seed: 16, numRuns: 3 })) {
      for (const law of found.slice(0, 1)) await assertCompiledLaw(law);
    }
  });
}

const doubles = (data: number[], shape: number[] = [data.length]) =>
  tensor(data, { shape, dtype: "float64" });
const wholes = (data: number[], shape: number[] = [data.length]) =>
  tensor(data, { shape, dtype: "int32" });

type Selection = readonly [op: Op<never>, params: unknown, inputs: readonly Tensor[]];

/** Positions that differ from row to row, along every axis, and beside operands that do not. */
const SELECTIONS: readonly Selection[] = [0, 1, 2].flatMap(
  (axis): Selection[] => {
    const shape = [2, 3, 4];
    const x = doubles(Array.from({ length: 24 }, (_, i) => i / 2), shape);
    const picked = wholes([1, 0, 1, 1, 0, 0], [2, 3]);
    const around = [...shape.slice(0, axis), 2, 3, ...shape.slice(axis + 1)];
    const updates = doubles(
      Array.from({ length: around.reduce((a, b) => a * b) }, (_, i) => Math.sin(i)),
      around,
    );
    const along = shape.map((n, i) => i === axis ? 2 : n);
    const places = wholes(Array.from({ length: 24 / shape[axis]! * 2 }, (_, i) => i % 2), along);
    const put = doubles(Array.from(places.data, (_, i) => Math.cos(i)), along);
    return [
      [gatherOp, axis, [x, picked]],
      [scatterAddOp, axis, [x, picked, updates]],
      [takeAlongAxisOp, axis, [x, places]],
      [putAlongAxisOp, { axis, shape }, [put, places]],
    ] as const;
  },
);

/** Entries, their rows and columns, and a dense matrix. */
const SPARSE: Selection = [sparseProductOp, 3, [
  doubles([1, -2, 3, 0.5, 7, -1]),
  wholes([0, 2, 2, 1, 0, 2]),
  wholes([1, 0, 3, 2, 1, 0]),
  doubles(Array.from({ length: 8 }, (_, i) => Math.sin(i)), [4, 2]),
]];

for (const [op, params, inputs] of [...SELECTIONS, SPARSE]) {
  for (let mask = 1; mask < 2 ** inputs.length; mask++) {
    const isMapped = inputs.map((_, i) => (mask >> i & 1) === 1);
    const which = isMapped.map((mapped) => mapped ? "rows" : "same").join(", ");
    Deno.test(`vmap of ${op.name}() of ${which}: ${JSON.stringify(params)}`, async () => {
      const rows = inputs.map((x) => turns(x, COUNT));
      const f = (...xs: Tensor[]) => apply(op, xs, params as never);
      assertLaw({ f, rows, isMapped });
      if (inputs[1]!.size === 6) await assertCompiledLaw({ f, rows, isMapped });
    });
  }
}

Deno.test("vmap of gather() refuses a position that is in another row", () => {
  const f = (x: Tensor, i: Tensor) => x.gather(i);
  assertThrows(
    () => vmap(f)([[1, 2], [3, 4]], wholes([1, 2])),
    RangeError,
    "Cannot compute gather as indices must be in [0, 1]: current value at position 1 is 2",
  );
});

const keys = (count: number) => Array.from({ length: count }, (_, i) => foldIn(key(7), i));

/** Inputs after the key, and parameters, of every sampler. */
const DRAWS: Readonly<Record<string, readonly [Tensor[], unknown]>> = {
  foldInOp: [[wholes([5], [])], null],
  uniformOp: [[], { shape: [2, 3], dtype: "float64" }],
  normalOp: [[], { shape: [2, 3], dtype: "float32" }],
  bernoulliOp: [[doubles([0.2, 0.7, 0.5])], { shape: [3], dtype: "bool" }],
  gammaOp: [[doubles([0.5, 2, 9])], { shape: [3], dtype: "float64" }],
  poissonOp: [[doubles([0.5, 20, 4])], { shape: [3], dtype: "int32" }],
  permutationOp: [[], { shape: [6], dtype: "int32" }],
  integersOp: [[wholes([6, 100, 7])], { shape: [3], dtype: "int32" }],
  categoricalOp: [[doubles([0.1, 0.9, 0.4, 2, 0, 1], [2, 3])], { shape: [4, 2], dtype: "int32" }],
};

/** The records of a kind that a module exports. */
function recordsOf<T>(module: object, kind: string): [string, T][] {
  return Object.entries(module).filter(([, value]) => value?.kind === kind);
}

for (const [name, op] of recordsOf<RandomOp<never>>(samplers, "random")) {
  Deno.test(`vmap of ${op.name}() draws for each key what it draws by itself`, async () => {
    assertListed("DRAWS", Object.keys(DRAWS), recordsOf(samplers, "random").map(([n]) => n));
    const [more, params] = DRAWS[name]!;
    const rows = [keys(COUNT), ...more.map((x) => turns(x, COUNT))];
    const f = (...xs: Tensor[]) => apply(op, xs, params as never);
    for (let mask = 1; mask < 2 ** rows.length; mask++) {
      const isMapped = rows.map((_, i) => (mask >> i & 1) === 1);
      const inAxes = isMapped.map((mapped) => mapped ? 0 : null);
      const inputs = rows.map((all, i) => isMapped[i] ? stack(all) : all[0]!);
      const each = keys(COUNT).map((_, k) => f(...rows.map((all, i) => all[isMapped[i] ? k : 0]!)));
      assertEquals(vmap(f, { inAxes })(...inputs), stack(each));
      await assertCompiledLaw({ f, rows, isMapped, gradients: false });
    }
  });
}

const origin = { caller: "example", argument: "x" };

/** Values that are let through, values that are not, and parameters, of every check. */
const CHECKS: Readonly<Record<string, readonly [Tensor, Tensor, unknown]>> = {
  checkLabelsOp: [wholes([0, 2, 1]), wholes([0, 3, 1]), { ...origin, count: 3 }],
  toIntegersOp: [doubles([0, 2, 1]), doubles([0, 2.5, 1]), origin],
  checkMaskOp: [doubles([0, 1, 1]), doubles([0, 2, 1]), origin],
  requireSomeOp: [tensor([true, false, false]), tensor([false, false, false]), origin],
  checkRangeOp: [doubles([0, 2, 1]), doubles([0, 9, 1]), {
    caller: "f",
    must: "x",
    low: 0,
    high: 3,
  }],
  checkLargestOp: [doubles([0, 2, 1]), doubles([0, Infinity, 1]), null],
  checkOrderOp: [wholes([1, 1, 1]), wholes([1, 0, 1]), null],
};

const ALL_CHECKS = [labels, ranges, samplers].flatMap((module) =>
  recordsOf<CheckOp<never>>(module, "check")
);

for (const [name, op] of ALL_CHECKS) {
  Deno.test(`vmap of ${op.name}() lets through and refuses what each row does`, async () => {
    assertListed("CHECKS", Object.keys(CHECKS), ALL_CHECKS.map(([n]) => n));
    const [good, bad, params] = CHECKS[name]!;
    const f = (x: Tensor) => apply(op, [x], params as never);
    const law: Law = { f, rows: [turns(good, COUNT)], isMapped: [true], gradients: false };
    assertLaw(law);
    await assertCompiledLaw(law);
    assertThrows(() => f(bad));
    assertThrows(() => vmap(f)(stack([good, bad])));
  });
}
