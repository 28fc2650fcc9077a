/** Long rows, long sums and positions that repeat: no invocation loops further than devices go. */
import { assertEquals } from "@std/assert";
import * as cg from "../../../mod.ts";
import { MOST_ROUNDS } from "../../../kernels/wgsl/kernel.ts";
import { assertLikeEager, gpuTest, readAll } from "./gpu.ts";

type Tensor = cg.Tensor;

/** More rounds than software adapters do. */
const LONG = 2 * MOST_ROUNDS + 4465;

const EXACT = { rtol: 0, atol: 0 };

/** Numbers of which the largest stands at a position, all others being 0. */
function peak(count: number, at: number): Tensor {
  const data = new Float32Array(count);
  data[at] = 5;
  return cg.tensor(data);
}

gpuTest("the first of half a million values are found wherever they stand", async (gpu) => {
  const count = 2 ** 19 + 2 ** 14;
  const f = (x: Tensor) => [
    cg.argMax(x),
    cg.argMin(cg.neg(x)),
    cg.topK(x, 3).indices,
    x.max(),
    x.sum(),
  ];
  await assertLikeEager(gpu, f, [peak(count, count - 1)], EXACT);
});

gpuTest("what repeats at one position is added up whole", async (gpu) => {
  const ids = new Int32Array(LONG);
  const table = cg.grad((table: Tensor) => cg.gather(table, ids).sum());
  const f = (table_: Tensor, x: Tensor) => [
    table(table_),
    cg.scatterAdd(table_, ids, x),
    cg.segmentSum(x, ids, 5000),
    cg.segmentMax(x, ids, 5000),
  ];
  await assertLikeEager(gpu, f, [cg.zeros([5000]), cg.arange(LONG).div(2 ** 12)], {
    rtol: 1e-4,
    atol: 0,
  });
});

gpuTest("products add up all their terms", async (gpu) => {
  for (const [batch, k] of [[33, LONG], [20, 500_001]] as const) {
    const f = (a: Tensor, b: Tensor) => [cg.matmul(a, b)];
    await using program = await cg.compile(f, [cg.ones([batch, 1, k]), cg.ones([batch, k, 1])], {
      device: gpu,
    });
    const [sums] = await readAll(await program(cg.ones([batch, 1, k]), cg.ones([batch, k, 1])));
    assertEquals([...sums!.data], Array(batch).fill(k));
  }
});

gpuTest("what does not move along an axis is added up, not multiplied", async (gpu) => {
  const cases: [(...xs: Tensor[]) => Tensor, number[]][] = [
    [(a, b) => cg.broadcastTo(a!, [3]).mul(b!).sum(), [1e-30, 2e38]],
    [(x) => cg.logSumExp(cg.broadcastTo(x!, [3])), [-Infinity]],
    [(x) => cg.logSumExp(cg.zeros([3]).add(x!)), [-Infinity]],
    [(x) => cg.logSumExp(cg.zeros([2, 10]).add(x!), { axis: 1 }), [-Infinity]],
    [(x) => cg.tensor([-200, -200]).add(x!).exp().sum(), [1]],
  ];
  for (const [f, numbers] of cases) {
    const inputs = numbers.map((x) => cg.tensor(x));
    await using program = await cg.compile(f, inputs, { device: gpu });
    await using expected = await cg.compile(f, inputs);
    const given = await (await program(...inputs)).read();
    assertEquals([...given], [...(await expected(...inputs)).data], `${f}`);
  }
});

gpuTest("one value read through many views takes as many buffers", async (gpu) => {
  const f = (x: Tensor) => {
    const parts = Array.from({ length: 40 }, (_, i) => cg.slice(x, i, 100 + i));
    return [parts.reduce((sum, part) => sum.add(part)), parts.reduce((a, b) => cg.maximum(a, b))];
  };
  await assertLikeEager(gpu, f, [cg.arange(200).cast("float32")], EXACT);
});

gpuTest("nothing at all is reduced, multiplied and turned as on the host", async (gpu) => {
  const f = (x: Tensor, y: Tensor, z: Tensor) => [
    x.sum({ axis: [0, 2] }),
    x.mean({ axis: [0, 2] }),
    x.equal(0).all({ axis: [0, 2] }),
    cg.einsum("abc->b", x),
    cg.tensordot(y, y, 2),
    cg.einsum("abd,cbd->ac", z, z),
    cg.flip(z).matmul(cg.zeros([2, 4])),
  ];
  const inputs = [cg.zeros([0, 3, 2]), cg.zeros([3, 0]), cg.zeros([3, 0, 2])];
  await assertLikeEager(gpu, f as (...xs: Tensor[]) => Tensor[], inputs, EXACT);
});
