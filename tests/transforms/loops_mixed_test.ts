/** Loops with whatever else there is: keys, labels, blocks, checkpoints, threads. */
import { assertEquals } from "@std/assert";
import {
  checkpoint,
  compile,
  cond,
  crossEntropyLoss,
  forLoop,
  gather,
  grad,
  jacobian,
  key,
  logSumExp,
  mapRowBlocks,
  normal,
  scan,
  splitKey,
  type Tensor,
  tensor,
  treeLeaves,
  uniform,
  valueAndGrad,
  where,
} from "../../mod.ts";

const f64 = (data: number | number[] | number[][]) => tensor(data, { dtype: "float64" });

const numbers = (shape: number[], seed = 1) => normal(key(seed), shape, { dtype: "float64" });

/** The same to the bit, eagerly and in programs on one thread and two. */
async function assertCompiled(f: (...xs: Tensor[]) => unknown, ...inputs: Tensor[]) {
  const expected = treeLeaves(f(...inputs));
  for (const threads of [1, 2]) {
    await using program = await compile(
      (...xs: Tensor[]) => treeLeaves(f(...xs)),
      inputs,
      { threads },
    );
    assertEquals(await program(...inputs), expected);
  }
}

/** A function with the gradients of the sum of its results. */
const withGradients = (f: (...xs: Tensor[]) => Tensor) => (...xs: Tensor[]) => {
  const argnums = xs.map((_, i) => i);
  const [value, gradients] = valueAndGrad((...ys: Tensor[]) => f(...ys).sum(), { argnums })(...xs);
  return [f(...xs), value, ...gradients as Tensor[]];
};

Deno.test("a key may go from turn to turn, or be among the rows", async () => {
  await assertCompiled(
    (k, x) => {
      const walk = ([k, x]: Tensor[], by: Tensor): [Tensor[], Tensor] => {
        const [next, own] = splitKey(k!, 2);
        return [[next!, x!.add(uniform(own!, [3], { dtype: "float64" }).mul(by))], x!];
      };
      const steps = (y: Tensor) => scan(walk, [k!, y], f64([1, 2, 3]));
      return [steps(x!), grad((y: Tensor) => steps(y)[1].square().sum())(x!)];
    },
    key(7),
    f64([1, 2, 3]),
  );
});

Deno.test("labels in loops are checked, and looked up", async () => {
  const labels = Int32Array.of(0, 2, 1);
  await assertCompiled(
    withGradients((x, table) => {
      const turn = (h: Tensor, label: Tensor): [Tensor, Tensor] => {
        const next = h.add(gather(table!, label)).tanh();
        return [next, crossEntropyLoss(next.expandDims(0), label.expandDims(0))];
      };
      return scan(turn, x!, tensor(labels))[1];
    }),
    numbers([3]),
    numbers([3, 3], 2),
  );
});

Deno.test("loops hold blocks and checkpoints, and are held by them", async () => {
  const near = (rows: Tensor, all: Tensor) => rows.matmul(all.transpose()).tanh().matmul(all);
  const blocks = (x: Tensor) => mapRowBlocks(near, x, x, { rows: 2 });
  const layer = checkpoint((x: Tensor, w: Tensor) => x.matmul(w).sin());
  await assertCompiled(
    withGradients((x, w) => forLoop(3, (y: Tensor) => layer(blocks(y), w!), x!)),
    numbers([5, 2]),
    numbers([2, 2], 2),
  );
  const inner = (rows: Tensor, all: Tensor) =>
    forLoop(3, (y: Tensor) => y.matmul(all.transpose()).tanh().matmul(all), rows);
  await assertCompiled(
    withGradients((x) => mapRowBlocks(inner, x!, x!, { rows: 2 })),
    numbers([5, 2]),
  );
  await assertCompiled(
    withGradients(
      checkpoint((x: Tensor, w: Tensor) => forLoop(3, (y: Tensor) => y.matmul(w).sin(), x)),
    ),
    numbers([5, 2]),
    numbers([2, 2], 2),
  );
});

Deno.test("loops in loops, with choices, to second order", async () => {
  const f = (x: Tensor) =>
    scan(
      (h: Tensor, y: Tensor): [Tensor, Tensor] => {
        const next = forLoop(2, (z: Tensor, i: Tensor) =>
          cond(
            z.sum().greater(i.cast("float64")),
            (z: Tensor, y: Tensor) => z.mul(0.5).add(y),
            (z: Tensor, y: Tensor) =>
              logSumExp(z.mul(y).sub(where(y.greater(0), z, 1)), { axis: 0 }).add(z),
            z,
            y,
          ), h);
        return [next, next.square()];
      },
      x.mul(0.1),
      x.expandDims(0).add(numbers([4, 3])),
    )[1].sum();
  const slope = grad(f);
  await assertCompiled((x) => [f(x!), slope(x!), jacobian(slope)(x!)], numbers([3], 5));
});

Deno.test("large turns are shared by threads", async () => {
  await assertCompiled(
    withGradients((x, w) => forLoop(3, (y: Tensor) => y.matmul(w!).tanh(), x!)),
    numbers([300, 200]),
    numbers([200, 200], 2).mul(0.05),
  );
});

Deno.test("a loop may have no carry, no results, and empty ones", async () => {
  await assertCompiled(
    (x) => scan((_: Tensor[], y: Tensor): [Tensor[], Tensor] => [[], y.exp()], [], x!),
    numbers([4, 2]),
  );
  await assertCompiled(
    (x) => scan((s: Tensor, y: Tensor): [Tensor, null] => [s.add(y), null], f64([0, 0]), x!)[0],
    numbers([4, 2]),
  );
  await assertCompiled(
    withGradients((x) => forLoop(3, (y: Tensor) => y.sin(), x!)),
    numbers([0, 3]),
  );
});
