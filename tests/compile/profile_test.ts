/** Programs measured step by step, and seen after each pass. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import * as cg from "../../mod.ts";
import { PASS_NAMES } from "../../src/program/optimize.ts";
import { gpuTest, hosted } from "../backends/webgpu/gpu.ts";

type Tensor = cg.Tensor;

/** A product, a loop with a body of its own, and a mean. */
function decays(w: Tensor, x: Tensor) {
  const [last, sums] = cg.scan(
    (c: Tensor, row: Tensor) => [c.mul(0.5).add(row), c.sum()],
    cg.zeros([8]),
    x.matmul(w),
  );
  return { last, mean: sums.mean() };
}

const ARGUMENTS = () => [cg.ones([16, 8]), cg.ones([20, 16])] as [Tensor, Tensor];

/** All steps, those of bodies after their loops. */
function all(steps: readonly cg.ProfiledStep[]): cg.ProfiledStep[] {
  return steps.flatMap((step) => [step, ...all(step.steps)]);
}

Deno.test("profile() measures each step, loops with all their turns", async () => {
  await using program = await cg.compile(decays, ARGUMENTS());
  const { runs, milliseconds, steps } = await program.profile(ARGUMENTS(), { runs: 1 });
  assertEquals(runs, 1);
  const sum = (list: readonly cg.ProfiledStep[]) =>
    list.reduce((total, step) => total + step.milliseconds, 0);
  assert(sum(steps) > 0 && sum(steps) <= milliseconds);
  const loops = steps.filter((step) => step.steps.length > 0);
  assertEquals(loops.map(({ how, bytes }) => [how, bytes]), [["", 0]]);
  assert(sum(loops[0]!.steps) <= loops[0]!.milliseconds);
  for (const { step, milliseconds } of all(steps)) assert(milliseconds > 0, step);
  const product = steps.find(({ step }) => step.includes("matmul("))!;
  assertEquals([product.flops, product.bytes], [2 * 20 * 16 * 8, 4 * (20 * 16 + 16 * 8 + 20 * 8)]);
});

Deno.test("profile() as text is the plan with times", async () => {
  await using program = await cg.compile(decays, ARGUMENTS());
  const text = String(await program.profile(ARGUMENTS()));
  const plain = text.replaceAll(/, [\d.e-]+ ms( per call)?$/gm, "");
  assertStringIncludes(program.explain(), plain);
  assertEquals(text.split(" ms\n").length - 1, text.split(/^ +\d+\. /m).length - 1);
  assertStringIncludes(text.split("\n")[0]!, " ms per call");
});

Deno.test("profile() changes nothing: arguments are kept, and calls give what they gave", async () => {
  await using program = await cg.compile(decays, ARGUMENTS(), { donate: true });
  const before = await program(...ARGUMENTS());
  await program.profile(ARGUMENTS(), { runs: 3 });
  const after = await program(...ARGUMENTS());
  assertEquals([...after.last.data], [...before.last.data]);
  const shorter = [cg.ones([16, 8]), cg.ones([3, 16])] as [Tensor, Tensor];
  assertStringIncludes(String(await program.profile(shorter, { runs: 1 })), "3 turns");
});

Deno.test("profile() with threads measures what they do together", async () => {
  const product = (x: Tensor) => x.matmul(x);
  await using program = await cg.compile(product, [cg.ones([256, 256])], { threads: 2 });
  const { steps } = await program.profile([cg.ones([256, 256])], { runs: 2 });
  assert(steps[0]!.milliseconds > 0);
});

Deno.test("profile() refuses what it cannot measure", async () => {
  const program = await cg.compile(decays, ARGUMENTS());
  for (const runs of [0, 1.5, NaN, "2" as unknown as number]) {
    await assertRejects(() => program.profile(ARGUMENTS(), { runs }), Error, "profile as runs");
  }
  const few = ARGUMENTS().slice(1) as unknown as [Tensor, Tensor];
  await assertRejects(() => program.profile(few), TypeError, "argument 1 is missing");
  const none = undefined as unknown as [Tensor, Tensor];
  await assertRejects(() => program.profile(none), TypeError, "Cannot compute profile as args");
  const misspelt = { times: 3 } as cg.ProfileOptions;
  await assertRejects(() => program.profile(ARGUMENTS(), misspelt), TypeError, "times");
  program.dispose();
  await assertRejects(() => program.profile(ARGUMENTS()), TypeError, "disposed");
});

Deno.test("explain({ after }) shows the graph after a pass", async () => {
  const f = cg.grad((x: Tensor) => cg.stopGradient(x).mul(x).mean());
  await using program = await cg.compile(f, [cg.ones([4])]);
  const after = (pass: cg.PassName) => program.explain({ after: pass });
  for (const pass of PASS_NAMES) assertStringIncludes(after(pass), `graph after ${pass}: `);
  const divides = / = div\(%\d+, %\d+\) {2}map, 1 FLOP, 12 B moved/;
  assertMatch(after("record"), divides);
  assert(!divides.test(after("constantFolding")));
  assertStringIncludes(after("constantFolding"), "is constant: 0.25");
  assertStringIncludes(after("constantFolding"), "= stopGradient(");
  assert(!after("simplify").includes("= stopGradient("));
  assertEquals(program.explain({}), program.explain());
});

Deno.test("explain({ after }) shows the bodies of loops, and knows its passes", async () => {
  await using program = await cg.compile(decays, ARGUMENTS());
  assertStringIncludes(program.explain({ after: "record" }), "20 turns: ");
  const error = assertThrows(() => program.explain({ after: "fusion" as "record" }), TypeError);
  for (const name of PASS_NAMES) assertStringIncludes(error.message, name);
  assertThrows(() => program.explain({ before: "record" } as cg.ExplainOptions), TypeError);
});

gpuTest("profile() on a device measures kernels and steps of the host", async (gpu) => {
  const f = (w: Tensor, x: Tensor) => hosted(decays(w, x).last.exp()).mul(2);
  await using program = await cg.compile(f, ARGUMENTS(), { device: gpu });
  const expected = await (await program(...ARGUMENTS())).read();
  const profile = await program.profile(ARGUMENTS(), { runs: 2 });
  assert(profile.milliseconds > 0);
  const steps = all(profile.steps);
  for (const { step, milliseconds } of steps) {
    assert(milliseconds > 0 || !/matmul|hosted|scan/.test(step), step);
  }
  const loop = profile.steps.find((step) => step.steps.length > 0)!;
  assert(loop.steps.every(({ milliseconds }) => milliseconds <= loop.milliseconds));
  assert(steps.some(({ how }) => how.startsWith("on the host")));
  assertEquals(await (await program(...ARGUMENTS())).read(), expected);
});

gpuTest("profile() on a device gives its memory back", async (gpu) => {
  await using program = await cg.compile(decays, ARGUMENTS(), { device: gpu });
  await program.profile(ARGUMENTS(), { runs: 1 });
  const { buffers } = gpu.counters;
  await program.profile(ARGUMENTS(), { runs: 5 });
  assertEquals(gpu.counters.buffers, buffers);
});
