import { assertEquals, assertThrows } from "@std/assert";
import { type Tensor, tensor, valueAndGrad } from "../../mod.ts";
import {
  Communicator,
  dataParallel,
  parallelValueAndGrad,
  singleProcess,
} from "../../src/mpi/mod.ts";
import { ALONE } from "../../src/mpi/transport.ts";
import { sgd } from "../../src/optim/mod.ts";
import { key } from "../../src/random.ts";

const comm = singleProcess();
const loss = (p: Tensor, share: Tensor) => share.mul(p).square().mean();

/** Two ranks of which the other one always has the same numbers as this one. */
const twins = new Communicator({
  ...ALONE,
  size: 2,
  allReduce(values, reduction) {
    if (reduction === "sum") values.forEach((v, i) => values[i] = 2 * v);
  },
  allGather(values) {
    values.copyWithin(values.length / 2, 0, values.length / 2);
  },
});

Deno.test("parallelValueAndGrad() of a single process is valueAndGrad, bit for bit", () => {
  const share = tensor([0.1, 0.2, 0.7]);
  const [value, gradient] = parallelValueAndGrad(loss, comm)(tensor(0.3), share);
  const [expected, expectedGradient] = valueAndGrad(loss)(tensor(0.3), share);
  assertEquals([value.data, gradient.data], [expected.data, expectedGradient.data]);
});

Deno.test("parallelValueAndGrad() passes further arguments on", () => {
  const f = (p: Tensor, share: Tensor, factor: number) => share.mul(p).sum().mul(factor);
  const [, gradient] = parallelValueAndGrad(f, comm)(tensor(1), tensor([1, 2]), 10);
  assertEquals(gradient.item(), 30);
});

Deno.test("parallelValueAndGrad() weighs a share by what the user says", () => {
  const seen: number[] = [];
  const weight = (share: Tensor) => {
    seen.push(share.size);
    return 0.5;
  };
  const f = parallelValueAndGrad(loss, twins, { weight });
  assertEquals(f(tensor(1), tensor([1, 3]))[0].item(), 5);
  assertEquals(seen, [2]);
});

Deno.test("parallelValueAndGrad() rejects shares that have no one number of rows", () => {
  const f = parallelValueAndGrad((p: Tensor) => p, comm);
  assertEquals(
    assertThrows(() => f(tensor(1), [tensor([1]), tensor(2)]), TypeError).message,
    "Cannot compute parallelValueAndGrad as all tensors of the share must have the same number " +
      "of rows: current shapes are [1], []",
  );
});

Deno.test("parallelValueAndGrad() rejects a share without rows", () => {
  const f = parallelValueAndGrad(loss, twins);
  assertEquals(
    assertThrows(() => f(tensor(1), tensor(new Float32Array(0))), RangeError).message,
    "Cannot compute parallelValueAndGrad as every rank needs at least one row: its share has " +
      "none; use fewer ranks, or larger batches",
  );
});

Deno.test("parallelValueAndGrad() rejects weights that are none", () => {
  const f = (weight: number) => () =>
    parallelValueAndGrad(loss, twins, { weight: () => weight })(tensor(1), tensor([1]));
  assertEquals(
    assertThrows(f(-1), RangeError).message,
    "Cannot compute parallelValueAndGrad as weight must be a finite number at least 0: " +
      "current value is -1",
  );
  assertEquals(
    assertThrows(f(0), RangeError).message,
    "Cannot compute parallelValueAndGrad as the sum of all weights must be a finite number " +
      "above 0: current value is 0",
  );
});

Deno.test("dataParallel() counts its steps and leaves the state that it is given alone", () => {
  const training = dataParallel(loss, comm, { optimizer: sgd({ learningRate: 0.1 }) });
  const start = training.start(tensor(1), key(0));
  const first = training.step(start, tensor([1]));
  const second = training.step(first.state, tensor([1]));
  assertEquals([start, first.state, second.state].map(({ step }) => step.item()), [0, 1, 2]);
  assertEquals(start.params.item(), 1);
  assertEquals(training.step(start, tensor([1])), first);
});

Deno.test("dataParallel() compares the ranks after every so many steps", () => {
  let gathered = 0;
  const counted = new Communicator({ ...ALONE, allGather: () => void gathered++ });
  const optimizer = sgd({ learningRate: 0.1 });
  for (const [checkEvery, expected] of [[0, 0], [3, 2]] as const) {
    gathered = 0;
    const training = dataParallel(loss, counted, { optimizer, checkEvery });
    let state = training.start(tensor(1), key(0));
    for (let i = 0; i < 8; i++) ({ state } = training.step(state, tensor([1])));
    // A comparison gathers the shapes first, then the hashes.
    assertEquals(gathered, 2 * expected);
  }
});

Deno.test("dataParallel() rejects options that are missing, unknown or out of range", () => {
  assertEquals(
    assertThrows(() => dataParallel(loss, comm, {} as never), TypeError).message,
    "Cannot compute dataParallel as optimizer must be one, such as adam({ learningRate: 1e-3 }): " +
      "current value is undefined",
  );
  const optimizer = sgd({ learningRate: 0.1 });
  assertEquals(
    assertThrows(() => dataParallel(loss, comm, { optimizer, every: 1 } as never), TypeError)
      .message,
    "Cannot compute dataParallel as there is no option every: did you mean checkEvery? " +
      "The options are optimizer, checkEvery, weight",
  );
  assertEquals(
    assertThrows(() => dataParallel(loss, comm, { optimizer, checkEvery: 1.5 }), RangeError)
      .message,
    "Cannot compute dataParallel as checkEvery must be a whole number at least 0: " +
      "current value is 1.5",
  );
});
