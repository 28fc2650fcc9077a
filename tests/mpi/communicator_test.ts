import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { compile, grad, type Tensor, tensor } from "../../mod.ts";
import { type Communicator, singleProcess } from "../../src/mpi/mod.ts";

const comm = singleProcess();

function complaint(f: () => unknown): string {
  return assertThrows(f, TypeError).message;
}

Deno.test("singleProcess() is rank 0 of 1, and names itself", () => {
  assertEquals([comm.rank, comm.size, comm.name], [0, 1, "a single process"]);
});

Deno.test("allReduce() keeps the branches of a tree, and leaves the input as it was", () => {
  const x = tensor([1, 2]);
  const found = comm.allReduce({ a: [x, x.mul(2)], b: { c: x } }, { op: "mean" });
  assertEquals(found.a.map((y) => y.toArray()), [[1, 2], [2, 4]]);
  assertEquals(found.b.c.toArray(), [1, 2]);
  assertEquals(x.toArray(), [1, 2]);
});

Deno.test("allReduce() accepts a tree without tensors", () => {
  assertEquals(comm.allReduce({ nothing: {} }), { nothing: {} });
});

Deno.test("allReduce() rejects what cannot be reduced", () => {
  assertEquals(
    complaint(() => comm.allReduce(tensor([true]))),
    "Cannot compute allReduce as the sum of bool is not defined: cast it to float32 first",
  );
  assertEquals(
    complaint(() => comm.allReduce(tensor(Int32Array.of(1)), { op: "mean" })),
    "Cannot compute allReduce as the mean of int32 is not defined: cast it to float32 first",
  );
  assertEquals(
    complaint(() => comm.allReduce([1], { op: "product" as "sum" })),
    "Cannot compute allReduce as op must be one of sum, mean, max: current value is product",
  );
  assertEquals(
    complaint(() => comm.allReduce([1], { operation: "sum" } as never)),
    "Cannot compute allReduce as there is no option operation: the options are op",
  );
});

Deno.test("broadcast() rejects a root that is no rank", () => {
  assertEquals(
    assertThrows(() => comm.broadcast([1], { root: 1 }), RangeError).message,
    "Cannot compute broadcast as root must be a whole number at least 0 and at most 0: " +
      "current value is 1",
  );
});

Deno.test("broadcast() rejects what is under differentiation", () => {
  assertEquals(
    complaint(() => grad((x: Tensor) => comm.broadcast(x).sum())([1])),
    "Cannot compute broadcast under differentiation or in a program, as it has no gradient: " +
      "do it before",
  );
});

Deno.test("broadcast() rejects what is recorded", async () => {
  let message = "";
  await compile((x: Tensor) => comm.broadcast(x), [[1]]).catch((error) => message = error.message);
  assertEquals(
    message,
    "Cannot compute broadcast under differentiation or in a program, as it has no gradient: " +
      "do it before",
  );
});

Deno.test("broadcast() gives tensors of their own", () => {
  const x = tensor([1, 2]);
  assertEquals(comm.broadcast(x).data === x.data, false);
});

Deno.test("allGather() rejects what has no rows", () => {
  assertEquals(
    complaint(() => comm.allGather(tensor(1))),
    "Cannot compute allGather as x must have rows: current shape is []",
  );
});

Deno.test("a communicator that was disposed of says so", async () => {
  let closed: Communicator;
  {
    await using own = singleProcess();
    closed = own;
  }
  const message = (name: string) =>
    `Cannot compute ${name} as the communicator has been disposed of`;
  assertEquals(complaint(() => closed.allReduce([1])), message("allReduce"));
  assertEquals(complaint(() => closed.broadcast([1])), message("broadcast"));
  assertEquals(complaint(() => closed.allGather([1])), message("allGather"));
  assertEquals(complaint(() => closed.barrier()), message("barrier"));
});

Deno.test("abort() of a single process throws its reason", () => {
  const error = assertThrows(() => comm.abort("the disk is full"), Error);
  assertStrictEquals(error.message, "the disk is full");
});
