/** Programs that see many shapes: what they give stays right, what they keep has a limit. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import * as cg from "../../mod.ts";
import { MOST_BYTES, MOST_KEPT, Specializations } from "../../src/compile/specializations.ts";

type Tensor = cg.Tensor;

/** An executable that says when it is disposed of. */
function executable(name: string, bytes: number, disposed: string[]) {
  const dispose = () => void disposed.push(name);
  const graph = { values: [], inputs: [], outputs: [], constants: new Map(), steps: [] };
  return {
    bytes,
    run: () => [],
    plan: () => ({ title: name, graph, units: [], bytesOf: () => 0, notes: [] }),
    measure: () => ({ milliseconds: 0, times: new Map() }),
    sources: () => [],
    dispose,
  };
}

const rebuild = () => undefined;

/** Keeps an executable that is in use no more. */
function add(kept: Specializations, name: string, bytes: number, disposed: string[]): void {
  const made = { executable: executable(name, bytes, disposed), rebuild, uses: 0 };
  kept.add(name, made);
  kept.release(made);
}

Deno.test("the sets of shapes that were used longest ago go first", () => {
  const kept = new Specializations();
  const disposed: string[] = [];
  for (let i = 0; i < MOST_KEPT; i++) {
    add(kept, `${i}`, 1, disposed);
  }
  assertEquals(disposed, []);
  kept.release(kept.get("0")!);
  for (const name of ["a", "b"]) add(kept, name, 1, disposed);
  assertEquals(disposed, ["1", "2"]);
  assertEquals([kept.get("1"), kept.get("0")?.uses], [undefined, 1]);
  assertStringIncludes(
    kept.explain(),
    `kept: ${MOST_KEPT} of at most ${MOST_KEPT} sets of shapes, 32 B of at most 256 MiB but for ` +
      `the last two; 2 made before are gone`,
  );
  kept.dispose();
  assertEquals(disposed.length, MOST_KEPT + 2);
});

Deno.test("what was used again after others came is not what was used longest ago", () => {
  const kept = new Specializations();
  const disposed: string[] = [];
  add(kept, "a", 1, disposed);
  kept.release(kept.get("a")!);
  for (let i = 1; i < MOST_KEPT; i++) {
    add(kept, `${i}`, 1, disposed);
    kept.release(kept.get("a")!);
  }
  add(kept, "last", 1, disposed);
  assertEquals(disposed, ["1"]);
});

Deno.test("large sets of shapes go sooner, but for the last two", () => {
  const kept = new Specializations();
  const disposed: string[] = [];
  add(kept, "a", 2 * MOST_BYTES, disposed);
  add(kept, "b", 2 * MOST_BYTES, disposed);
  assertEquals(disposed, []);
  add(kept, "c", 1, disposed);
  assertEquals(disposed, ["a"]);
  add(kept, "d", 1, disposed);
  assertEquals(disposed, ["a", "b"]);
  for (let i = 0; i < 10; i++) add(kept, `${i}`, MOST_BYTES / 8, disposed);
  assertEquals(disposed.length, 6);
});

Deno.test("what is in use stays until it is not", () => {
  const kept = new Specializations();
  const disposed: string[] = [];
  const used = { executable: executable("used", 1, disposed), rebuild, uses: 0 };
  kept.add("used", used);
  for (let i = 0; i < 2 * MOST_KEPT; i++) {
    add(kept, `${i}`, 1, disposed);
  }
  assert(!disposed.includes("used"));
  kept.release(used);
  add(kept, "next", 1, disposed);
  assert(disposed.includes("used"));
});

Deno.test("what comes after the end is freed, and what fails is tried again", async () => {
  const kept = new Specializations();
  const disposed: string[] = [];
  const failing = Promise.reject(new Error("no memory"));
  kept.add("a", { executable: failing, rebuild, uses: 0 });
  await assertRejects(() => failing, Error, "no memory");
  assertEquals(kept.get("a"), undefined);
  const late = Promise.withResolvers<ReturnType<typeof executable>>();
  kept.add("b", { executable: late.promise, rebuild, uses: 0 });
  kept.dispose();
  late.resolve(executable("b", 1, disposed));
  await late.promise;
  assertEquals(disposed, ["b"]);
});

for (const threads of [1, 2]) {
  Deno.test(`shapes come and go on ${threads} threads, results are right`, async () => {
    let recorded = 0;
    const f = (x: Tensor) => {
      recorded++;
      return x.mul(2).exp().sum({ axis: 1 });
    };
    const given = (n: number) => cg.full([n, 3], 0.5);
    const rows = threads === 1 ? 1 : 20_000;
    await using program = await cg.compile(f, [given(rows)], { threads });
    const shapes = Array.from({ length: MOST_KEPT + 8 }, (_, i) => rows + i);
    for (let round = 0; round < 2; round++) {
      // All at once: what is under way must outlive its place among those that are kept.
      const found = await Promise.all(shapes.map((n) => program(given(n))));
      found.forEach((y, i) => {
        assertEquals(y.shape, [shapes[i]!]);
        assert(y.data.every((v) => Math.abs(v - 3 * Math.E) < 1e-5));
      });
    }
    assertStringIncludes(program.explain(), `kept: ${MOST_KEPT} of at most ${MOST_KEPT} sets`);
    const before = recorded;
    await program(given(shapes.at(-1)!));
    assertEquals(recorded, before);
    await program(given(shapes[0]!));
    assertEquals(recorded, before + 1);
  });
}

for (const threads of [1, 2]) {
  Deno.test(`memory levels off over many large shapes on ${threads} threads`, async () => {
    const code = `
      import * as cg from ${JSON.stringify(import.meta.resolve("../../mod.ts"))};
      const f = (x) => cg.concat([x, x.neg(), x, x.abs()]).sum();
      const program = await cg.compile(f, [cg.zeros([1])], { threads: ${threads} });
      const given = cg.zeros([2_000_030]);
      for (let i = 0; i < 30; i++) await program(given.slice(0, 2_000_000 + i));
      console.log(Deno.memoryUsage().rss / 2 ** 20);
      program.dispose();`;
    const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        "--allow-all",
        `data:text/javascript,${encodeURIComponent(code)}`,
      ],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const rss = Number(new TextDecoder().decode(stdout));
    // 30 sets of shapes take 53 MiB each: 1,600 MiB where nothing goes.
    assert(rss > 0 && rss < 700, `${rss} MiB`);
  });
}

Deno.test("loops of more tensors than WebAssembly takes are several", async () => {
  const terms = Array.from({ length: 1100 }, (_, i) => cg.full([4], i));
  const sum = (xs: Tensor[]) => xs.reduce((a, b) => a.add(b));
  await using program = await cg.compile(sum, [terms]);
  assertEquals((await program(terms)).toArray(), sum(terms).toArray());
});

Deno.test("loops of more steps than WebAssembly takes are several", async () => {
  const turn = (x: Tensor, i: number) => i % 2 === 1 ? cg.sin(x) : x.mul(1.0001);
  const f = (x: Tensor) => Array.from({ length: 1000 }, (_, i) => i).reduce(turn, x).sum();
  const x = cg.tensor([0.1, 0.2, 0.3, 0.4], { dtype: "float64" });
  await using program = await cg.compile(cg.grad(f), [x]);
  assertEquals((await program(x)).toArray(), cg.grad(f)(x).toArray());
});

Deno.test("concats of more pieces than a function has parameters are programs, too", async () => {
  const x = cg.tensor([1, 2, 3]);
  for (const width of [1, 2]) {
    const piece = (x: Tensor, i: number) => i === 700 ? x.slice(0, width) : x.mul(i);
    const f = (x: Tensor) => cg.concat(Array.from({ length: 1200 }, (_, i) => piece(x, i)));
    await using program = await cg.compile(f, [x], { threads: 2 });
    assertEquals((await program(x)).toArray(), f(x).toArray());
  }
});
