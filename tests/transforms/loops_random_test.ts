/** Random loops in loops: programs have the values and derivatives of eager ones. */
import fc from "fast-check";
import {
  compile,
  concat,
  cond,
  forLoop,
  grad,
  key,
  logSumExp,
  type LoopCheckpoint,
  normal,
  scan,
  type Tensor,
  tensor,
  where,
  whileLoop,
} from "../../mod.ts";
import { assertAllClose } from "../../src/testing.ts";

const [ROWS, COLUMNS] = [3, 4];

/** A matrix and a vector, which go from turn to turn. */
type State = [matrix: Tensor, vector: Tensor];

/** What may be done to a state; `w` is closed over. */
const STEPS: readonly ((state: State, w: Tensor) => State)[] = [
  ([m, v]) => [m.mul(m).tanh(), v],
  ([m, v]) => [m.add(v).sin(), v],
  ([m, v]) => [m, m.sum({ axis: 0 }).tanh().add(v)],
  ([m, v]) => [m, logSumExp(m, { axis: 0 }).mul(0.3).sub(v)],
  ([m, v]) => [m.sub(m.max({ axis: 1, keepDims: true })), v],
  ([m, v], w) => [m.matmul(v.expandDims(0).mul(w.expandDims(1)).mul(0.2)), v],
  ([m, v]) => [m, concat([v.slice(1), m.slice([0, 0], [1, 1]).reshape([1])])],
  ([m, v]) => [concat([m.slice(1), v.expandDims(0)]), m.slice(0, 1).reshape([COLUMNS])],
  ([m, v], w) => [where(m.greater(v), m.mul(0.5), w), v.mul(w).sigmoid()],
  ([m, v]) => [m.transpose().reshape([ROWS, COLUMNS]).cos(), v.softmax({ axis: 0 })],
  ([m, v], w) => [m, v.sub(v.mean()).add(w)],
];

/** What is done: a step by its number, or a loop over others. */
type Plan = number | Loop;

interface Loop {
  kind: "scan" | "forLoop" | "whileLoop" | "cond";
  body: Plan[];
  length: number;
  reverse: boolean;
  checkpoint: LoopCheckpoint;
}

const { loop } = fc.letrec<{ plan: Plan; loop: Loop }>((tie) => ({
  plan: fc.oneof(
    { depthSize: "small", maxDepth: 2, withCrossShrink: true },
    { weight: 3, arbitrary: fc.nat(STEPS.length - 1) },
    { weight: 1, arbitrary: tie("loop") },
  ),
  loop: fc.record({
    kind: fc.constantFrom("scan", "forLoop", "whileLoop", "cond"),
    body: fc.array(tie("plan"), { minLength: 1, maxLength: 4 }),
    length: fc.integer({ min: 1, max: 4 }),
    reverse: fc.boolean(),
    checkpoint: fc.constantFrom<LoopCheckpoint>("all", "sqrt", 2),
  }),
}));

/** Does what a plan says. */
function follow(plan: Plan, state: State, w: Tensor): State {
  if (typeof plan === "number") return STEPS[plan]!(state, w);
  const { kind, body, length, reverse, checkpoint } = plan;
  const turn = (own: State): State => body.reduce((s, inner) => follow(inner, s, w), own);
  switch (kind) {
    case "scan": {
      const xs = concat(Array.from({ length }, (_, i) => w.mul(0.5 + i).expandDims(0)));
      const row = ([m, v]: State, x: Tensor): [State, Tensor] => {
        const next = turn([m, v.add(x).tanh()]);
        return [next, next[1].mul(x)];
      };
      const [[m, v], ys] = scan(row, state, xs, { reverse, checkpoint });
      return [m, v.add(ys.sum({ axis: 0 }).tanh())];
    }
    case "forLoop":
      return forLoop(
        length,
        ([m, v]: State, i: Tensor): State => {
          return turn([m.mul(i.cast("float64").mul(0.1).add(1)), v]);
        },
        state,
        { checkpoint },
      );
    case "whileLoop": {
      type Counted = [count: Tensor, state: State];
      return whileLoop<Counted>(
        ([count]) => count.less(length),
        ([count, own]) => [count.add(1), turn(own)],
        [tensor(0, { dtype: "int32" }), state],
        { max: 5 },
      )[1];
    }
    case "cond":
      return cond(
        state[1].sum().greater(0),
        (own: State) => turn(own),
        ([m, v]: State): State => [m.mul(0.5), v.neg()],
        state,
      );
  }
}

Deno.test("random loops have the same values and derivatives eagerly and in programs", async () => {
  await fc.assert(
    fc.asyncProperty(loop, fc.nat(1000), async (plan, seed) => {
      const f = (m: Tensor, v: Tensor, w: Tensor) => {
        const [matrix, vector] = follow(plan, [m, v], w);
        return matrix.square().mean().add(vector.mul(w).sum());
      };
      const argnums = [0, 1, 2];
      const slopes = (m: Tensor, v: Tensor, w: Tensor) => grad(f, { argnums })(m, v, w) as Tensor[];
      const bent = (m: Tensor, v: Tensor, w: Tensor) =>
        slopes(m, v, w).map((x) => x.sin().sum()).reduce((a, b) => a.add(b));
      const all = (m: Tensor, v: Tensor, w: Tensor) => [
        f(m, v, w),
        ...slopes(m, v, w),
        ...grad(bent, { argnums })(m, v, w) as Tensor[],
      ];
      const numbers = (shape: number[], i: number) =>
        normal(key(3 * seed + i), shape, { dtype: "float64" });
      const inputs = [
        numbers([ROWS, COLUMNS], 0),
        numbers([COLUMNS], 1),
        numbers([COLUMNS], 2),
      ] as const;
      const expected = all(...inputs);
      await using program = await compile(all, [...inputs]);
      // A choice adds its own cotangents up before it adds them to others.
      (await program(...inputs)).forEach((x, i) =>
        assertAllClose(x, expected[i]!, { rtol: 1e-11, atol: 1e-13 })
      );
    }),
    { seed: 20250, numRuns: 25 },
  );
});
