/**
 * What ranks must do right, whatever carries their numbers: run by simulated ranks in the ordinary
 * tests, and by real ones over MPI.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { compile, full, grad, type Tensor, tensor, valueAndGrad } from "../../mod.ts";
import { checkIdentical, type Communicator } from "../../src/mpi/mod.ts";
import { key, normal } from "../../src/random.ts";
import { assertNear } from "./cells.ts";
import { gradientScenarios, secondOrderScenarios } from "./gradient_scenarios.ts";
import { trainingScenarios } from "./training_scenarios.ts";

/** What all ranks of a job do; it throws where something is wrong. */
export type Scenario = (comm: Communicator, directory: string) => void | Promise<void>;

const SAME_TREES =
  "all ranks must give trees of the same branches, shapes and types, in the same " +
  "order of calls: ";

const list = (shape: readonly number[]) => `[${shape.join(", ")}]`;

const collectiveScenarios: [string, Scenario][] = [
  ["allReduce() sums, averages and finds the largest, in both types at once", (comm) => {
    const { rank, size } = comm;
    const tree = () => ({
      a: tensor([[rank, 1, -rank]]),
      b: [tensor(new Float64Array([rank / 3])), tensor(new Float32Array(0))],
    });
    const ranks = Array.from({ length: size }, (_, r) => r);
    const total = ranks.reduce((sum, r) => sum + r, 0);
    const third = ranks.reduce((sum, r) => sum + r / 3, 0);
    const sum = comm.allReduce(tree());
    assertEquals(sum.a.toArray(), [[total, size, -total]]);
    assertEquals([sum.a.dtype, sum.b[0]!.dtype, sum.b[1]!.shape], ["float32", "float64", [0]]);
    assertNear(sum.b[0], tensor(new Float64Array([third])), 1e-15);
    const mean = comm.allReduce(tree(), { op: "mean" });
    assertNear(mean.a, tensor([[total / size, 1, -total / size]]), 1e-6);
    const largest = comm.allReduce(tree(), { op: "max" });
    assertEquals(largest.a.add(0).toArray(), [[size - 1, 1, 0]]);
  }],
  ["allReduce() sums integers exactly", (comm) => {
    const x = tensor(Int32Array.of(2 ** 31 - 1, comm.rank));
    const counts = comm.allReduce([x, x]);
    const totals = [comm.size * (2 ** 31 - 1), comm.size * (comm.size - 1) / 2];
    assertEquals(counts.map((total) => total.toArray()), [totals, totals]);
  }],
  ["allReduce() gives all ranks the same bits", (comm) => {
    const x = normal(key(comm.rank), [10_007]);
    checkIdentical(comm.allReduce({ x }), comm);
  }],
  ["allReduce() takes a tensor twice", (comm) => {
    const x = tensor([2]);
    assertEquals(comm.allReduce([x, x]).map((y) => y.item()), [2 * comm.size, 2 * comm.size]);
  }],
  ["every call names rank and shapes on every rank where one gives another shape", (comm) => {
    if (comm.size === 1) return;
    // Of other sizes, too: what ranks send must not depend on what they give.
    for (const own of [[3, 2], [6], [2, 2], [40, 50], []]) {
      for (let odd = 0; odd < comm.size; odd++) {
        const shape = comm.rank === odd ? own : [2, 3];
        const x = full(shape, 1);
        const others = odd === 0 ? 1 : 0;
        const [a, b] = comm.size === 2
          ? [1, 0].map((r) => `rank ${r} gives float32 ${r === odd ? list(own) : "[2, 3]"}`)
          : [`rank ${odd} gives float32 ${list(own)}`, `rank ${others} gives float32 [2, 3]`];
        for (const name of ["allReduce", "broadcast"] as const) {
          const { message } = assertThrows(() => comm[name](x), TypeError);
          assertEquals(message, `Cannot compute ${name} as ${SAME_TREES}${a}, and ${b}`);
        }
      }
    }
  }],
  ["every call finds out where a rank calls something else", (comm) => {
    if (comm.size === 1) return;
    const x = tensor([1, 2]);
    const calls: [string, string, () => unknown][] = [
      ["allReduce", "allReduce (sum)", () => comm.allReduce(x)],
      ["allReduce", "allReduce (max)", () => comm.allReduce(x, { op: "max" })],
      ["broadcast", "broadcast (from rank 0)", () => comm.broadcast(x)],
      ["broadcast", "broadcast (from rank 1)", () => comm.broadcast(x, { root: 1 })],
      ["allGather", "allGather", () => comm.allGather(x)],
      ["barrier", "barrier", () => comm.barrier()],
      ["allReduce", "allReduce (sum)", () => comm.allReduce({})],
    ];
    for (const [i, [first, firstName, call]] of calls.entries()) {
      const [second, secondName, other] = calls[(i + 1) % calls.length]!;
      const own = comm.rank === 1 ? other : call;
      const { message } = assertThrows(own, TypeError);
      const name = comm.rank === 1 ? second : first;
      const said = firstName === secondName
        ? "rank 1 gives 1 tensors, and rank 0 0"
        : `rank 1 calls ${secondName}, and rank 0 calls ${firstName}`;
      assertEquals(message, `Cannot compute ${name} as ${SAME_TREES}${said}`);
    }
    assertEquals(comm.allReduce(x).toArray(), [comm.size, 2 * comm.size]);
  }],
  ["a tree that differs is told by its first tensor, and all ranks that differ", (comm) => {
    if (comm.size < 3) return;
    const tree = (columns: number) => ({ a: full([2], 1), b: full([2, columns], 1), c: tensor(1) });
    const odd = comm.rank > comm.size / 2;
    const { message } = assertThrows(() => comm.allReduce(tree(odd ? 4 : 3)), TypeError);
    const ranks = Array.from({ length: comm.size }, (_, r) => r).filter((r) => r > comm.size / 2);
    const more = ranks.length > 1 ? ` (ranks that differ: ${ranks.join(", ")})` : "";
    assertEquals(
      message,
      `Cannot compute allReduce as ${SAME_TREES}rank ${
        ranks[0]
      } gives float32 [2, 4] as tensor 2 ` +
        `of 3, and rank 0 gives float32 [2, 3]${more}`,
    );
  }],
  ["broadcast() gives all ranks the tree of any root", (comm) => {
    const { rank, size } = comm;
    for (let root = 0; root < size; root++) {
      const tree = {
        step: tensor(Int32Array.of(rank)),
        flags: [tensor([rank === 0, true])],
        x: tensor(new Float64Array([rank / 7])),
      };
      const found = comm.broadcast(tree, { root });
      assertEquals(found.step.toArray(), [root]);
      assertEquals(found.flags[0]!.toArray(), [root === 0, true]);
      assertEquals(found.x.toArray(), [root / 7]);
    }
  }],
  ["allGather() joins different numbers of rows, none among them", (comm) => {
    const { rank, size } = comm;
    const own = tensor(new Float64Array(rank * 2).fill(rank), { shape: [rank, 2] });
    const rows = Array.from({ length: size }, (_, r) => Array.from({ length: r }, () => [r, r]));
    assertEquals(comm.allGather(own).toArray(), rows.flat());
    const labels = comm.allGather(tensor(Int32Array.of(rank)));
    assertEquals([labels.dtype, labels.toArray()], ["int32", rows.map((_, r) => r)]);
    const flags = comm.allGather(tensor([rank > 0]));
    assertEquals(flags.toArray(), rows.map((_, r) => r > 0));
  }],
  ["allGather() says so where ranks give other rows", (comm) => {
    if (comm.size === 1) return;
    const own = comm.rank === 1 ? tensor([[1, 2]]) : tensor([[1, 2, 3], [4, 5, 6]]);
    const error = assertThrows(() => comm.allGather(own), TypeError);
    assertEquals(
      error.message,
      `Cannot compute allGather as ${SAME_TREES}rank 1 gives rows of float32 [2], and rank 0 ` +
        `gives rows of float32 [3]`,
    );
  }],
  ["the gradient of gathered rows is what all ranks have found for them", (comm) => {
    const { rank, size } = comm;
    const own = tensor(new Float64Array(rank + 1).fill(1));
    const loss = (x: Tensor) => comm.allGather(x).square().sum().mul(rank + 1);
    const weights = size * (size + 1) / 2;
    assertEquals(grad(loss)(own).toArray(), new Array(rank + 1).fill(2 * weights));
  }],
  ["the gradient of the largest is shared by all that hold it", (comm) => {
    const loss = (x: Tensor) => comm.allReduce(x, { op: "max" }).sum();
    const share = grad(loss)(tensor(new Float64Array([5, -comm.rank])));
    assertEquals(share.data[0], 1);
    assertEquals(share.data[1], comm.rank === 0 ? comm.size : 0);
  }],
  ["barrier() lets all ranks pass", (comm) => comm.barrier()],
  ["a compiled program gathers and sums, with its gradient", async (comm) => {
    const own = tensor(new Float64Array([comm.rank, 1, 2]), { shape: [3, 1] });
    const f = (x: Tensor) => {
      const all = comm.allGather(x.square());
      return comm.allReduce(all.mul(x.sum()), { op: "mean" }).square().sum();
    };
    const eager = valueAndGrad(f)(own);
    await using program = await compile((x: Tensor) => valueAndGrad(f)(x), [own]);
    for (let i = 0; i < 3; i++) assertNear(await program(own), eager, 1e-13);
  }],
];

/** All scenarios by name. */
export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map([
  ...collectiveScenarios,
  ...gradientScenarios(),
  ...secondOrderScenarios(),
  ...trainingScenarios,
]);
