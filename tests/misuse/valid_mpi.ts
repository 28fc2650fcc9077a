/** One valid call of every function of `./mpi` that needs no MPI library. */
import * as cg from "../../mod.ts";
import * as mpi from "../../src/mpi/mod.ts";
import type { ValidCall } from "./valid_calls.ts";

const comm = mpi.singleProcess();
const params = () => ({ w: cg.tensor([1, 2]), b: cg.tensor(0) });
const loss = (p: ReturnType<typeof params>, x: cg.Tensor) => cg.sum(cg.add(cg.mul(x, p.w), p.b));
const share = () => cg.tensor([[1, 2], [3, 4]]);
const optimizer = () => cg.sgd({ learningRate: 0.1 });
const training = mpi.dataParallel(loss, comm, { optimizer: optimizer() });
const start = () => training.start(params(), cg.key(1));

const row = (name: keyof typeof mpi, args: () => unknown[], options?: number): ValidCall => ({
  name,
  f: mpi[name] as ValidCall["f"],
  args,
  ...(options === undefined ? {} : { options }),
});

/** All that need no file. */
export const VALID_MPI: readonly ValidCall[] = [
  row("checkIdentical", () => [params(), comm]),
  row("shardRange", () => [10, { rank: 1, size: 3 }]),
  row("shardRows", () => [{ x: share() }, comm]),
  row("dataParallel", () => [
    loss,
    comm,
    { optimizer: optimizer(), checkEvery: 1, weight: () => 2 },
  ], 2),
  row("parallelValueAndGrad", () => [loss, comm, { weight: () => 2 }], 2),
  {
    name: "parallelValueAndGrad()",
    f: mpi.parallelValueAndGrad(loss, comm),
    args: () => [params(), share()],
    variadic: true,
  },
  {
    name: "start",
    f: (p, key) => training.start(p, key),
    args: () => [params(), cg.key(1)],
  },
  { name: "step", f: (state, x) => training.step(state, x), args: () => [start(), share()] },
  {
    name: "allReduce",
    f: (tree, options) => comm.allReduce(tree, options),
    args: () => [params(), { op: "mean" }],
    options: 1,
  },
  {
    name: "broadcast",
    f: (tree, options) => comm.broadcast(tree, options),
    args: () => [params(), { root: 0 }],
    options: 1,
  },
  { name: "allGather", f: (x) => comm.allGather(x), args: () => [share()] },
];

/** The file that loads. */
export async function saveFirst(folder: string): Promise<void> {
  await mpi.saveCheckpoint(`${folder}/saved.safetensors`, params(), comm);
}

/** Calls that write into a folder, and read what {@linkcode saveFirst} wrote. */
export function validCheckpoints(folder: string): ValidCall[] {
  // A relative path would be one of the checkout.
  const inside = (path: unknown) =>
    typeof path === "string" && path !== "" && !path.startsWith("/") ? `${folder}/${path}` : path;
  return [
    {
      ...row("saveCheckpoint", () => ["state.safetensors", params(), comm]),
      f: (path, ...rest: [never, never]) => mpi.saveCheckpoint(inside(path) as string, ...rest),
    },
    row("loadCheckpoint", () => [`${folder}/saved.safetensors`, params(), comm]),
  ];
}
