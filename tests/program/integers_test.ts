/** Integers have one answer: eager, compiled, and on several threads, to the bit. */
import { assertEquals, assertThrows } from "@std/assert";
import * as cg from "../../mod.ts";
import { CpuExecutable } from "../../src/backends/cpu/executable.ts";
import { optimize } from "../../src/program/optimize.ts";
import { record } from "../../src/program/record.ts";
import { Team } from "../../src/backends/cpu/threads.ts";
import { INTEGER_CALLS } from "../ops/integer_calls.ts";

const i32 = (...values: number[]) => cg.tensor(values, { dtype: "int32" });
const isExact = ({ name, dtype }: typeof INTEGER_CALLS[number]) =>
  dtype === "int32" || dtype === "bool" || name.startsWith("sum");

Deno.test("operations on extreme integers give compiled, on any number of threads, what eager gives", async () => {
  const team = new Team(2);
  for (const { name, call, inputs } of INTEGER_CALLS.filter(isExact)) {
    const { data, dtype } = call(...inputs);
    const graph = optimize(record(inputs, (xs) => [call(...xs)]));
    for (const options of [{}, { team, smallestShared: 0 }]) {
      const executable = new CpuExecutable(graph, options);
      await team.ready();
      const [found] = executable.run(inputs);
      assertEquals([name, found!.dtype, found!.data], [name, dtype, data]);
    }
  }
  team.dispose(new TypeError("ended"));
});

Deno.test("chains of integer operations wrap at each step, fused ones too", async () => {
  const x = i32(2 ** 31 - 1, -(2 ** 31), 46341, 2 ** 30 + 1);
  const f = (y: cg.Tensor) => y.mul(y).add(y).abs().neg().sub(2).square().greater(y);
  const g = (y: cg.Tensor) => cg.where(f(y), y.add(1), y.mul(3)).sum();
  await using program = await cg.compile((y: cg.Tensor) => [f(y), g(y)], [x]);
  assertEquals((await program(x)).map(({ data }) => data), [f(x).data, g(x).data]);
});

Deno.test("sums of int32 are exact over every axis: no total wraps around or saturates", async () => {
  const x = i32(...Array.from({ length: 60 }, (_, i) => i % 7 === 0 ? -5 : 2 ** 31 - 1 - i))
    .reshape([3, 4, 5]);
  const exact = x.cast("float64");
  for (const axis of [undefined, 0, 1, 2, [0, 1], [0, 2], [1, 2]]) {
    for (const keepDims of [false, true]) {
      const f = (y: cg.Tensor) => y.sum({ axis, keepDims });
      await using program = await cg.compile(f, [x]);
      assertEquals(f(x), exact.sum({ axis, keepDims }));
      assertEquals((await program(x)).data, f(x).data);
    }
  }
  assertEquals(x.sum().item(), Array.from(x.data).reduce((a, b) => a + b, 0));
});

Deno.test("what wraps around is one element, as 32-bit integers do", () => {
  const [top, bottom] = [2 ** 31 - 1, -(2 ** 31)];
  assertEquals(i32(top).add(1).item(), bottom);
  assertEquals(i32(bottom).sub(1).item(), top);
  assertEquals(i32(bottom).neg().item(), bottom);
  assertEquals(i32(bottom).abs().item(), bottom);
  assertEquals(i32(46341).square().item(), Math.imul(46341, 46341));
  const added = cg.scatterAdd(i32(top), [0, 0], i32(0, 1));
  assertEquals(added.item(), bottom);
});

Deno.test("clip of integers by limits outside int32 is what the limits say", async () => {
  const x = i32(2 ** 31 - 1, -(2 ** 31), 7);
  for (const [low, high] of [[-Infinity, Infinity], [-1e10, 1e10], [-1e10, 5], [5, 1e10]]) {
    const f = (y: cg.Tensor) => cg.clip(y, low!, high!);
    const wanted = Int32Array.from(x.data, (v) => Math.min(Math.max(v, low!), high!));
    await using program = await cg.compile(f, [x]);
    assertEquals([f(x).data, (await program(x)).data], [wanted, wanted]);
  }
  assertThrows(
    () => cg.clip(x, 3e9, 4e9),
    RangeError,
    "Cannot compute clip as int32 holds nothing between 3000000000 and 4000000000: cast x first",
  );
  assertThrows(() => cg.clip(x, -Infinity, -3e9), RangeError, "int32 holds nothing between");
});
