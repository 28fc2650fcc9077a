import { grad, sigmoid, type Tensor, zeros } from "@cellgrad/cellgrad";
import { type Hierarchy, hmcnLoss, type HmcnOptions } from "@cellgrad/cellgrad/losses";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";
import { assertAlmostEquals, assertEquals, assertGreaterOrEqual } from "@std/assert";
import fc from "fast-check";
import { FEW_RUNS, floats, integers, permutations, RUNS } from "../arbitraries.ts";
import bce from "../golden/hmcn_bce.json" with { type: "json" };
import { checkGolden, type GoldenFunction } from "../golden/golden.ts";
import scgpt from "../golden/hmcn_scgpt.json" with { type: "json" };
import { f64, i32, reorder } from "./cells.ts";
import { assertAllZero, assertError, assertFinite, assertSame, testMisuse } from "./laws.ts";

const compute: GoldenFunction = ({ global_out, labels, levels, ...rest }, { input_type, beta }) => {
  const count = global_out.shape[1]!;
  const many = (name: string, length: number) =>
    Array.from({ length }, (_, l) => rest[`${name}_${l}`]!);
  const hierarchy = { levels: levels.data as Int32Array, membership: many("harray", count) };
  const { global, local } = hmcnLoss(global_out, many("local", count - 1), labels, hierarchy, {
    inputType: input_type,
  });
  const outputs = { global_loss: global, local_loss: local };
  return { value: global.mul(beta).add(local), outputs };
};

Deno.test("hmcnLoss() agrees with the golden vectors of probabilities", () => {
  checkGolden(bce, compute);
});

Deno.test("hmcnLoss() agrees with the golden vectors of logits", () => {
  checkGolden(scgpt, compute);
});

/** Root 0; 1 and 2 below it; 3 below 1, 4 below 1 and 2. */
const tree: Hierarchy = {
  levels: new Int32Array([0, 1, 1, 2, 2]),
  membership: [
    [[1], [1], [1], [1], [1]],
    [[0, 0], [1, 0], [0, 1], [1, 0], [1, 1]],
    [[0, 0], [0, 0], [0, 0], [1, 0], [0, 1]],
  ],
};

const outputs = fc.record({
  global: floats([4, 3]),
  first: floats([4, 2]),
  second: floats([4, 2]),
  labels: integers([4], 0, 4),
  order: permutations(4),
});

const INPUT_TYPES = ["expr", "scGPT"] as const;

function total(
  global: Tensor,
  first: Tensor,
  second: Tensor,
  labels: Tensor,
  options: HmcnOptions,
): Tensor {
  const probabilities = options.inputType !== "scGPT";
  const [g, f, s] = [global, first, second].map((x) => probabilities ? sigmoid(x) : x);
  const losses = hmcnLoss(g!, [f!, s!], labels, tree, options);
  return losses.global.add(losses.local);
}

for (const inputType of INPUT_TYPES) {
  const name = `hmcnLoss() with ${inputType}`;

  Deno.test(`${name} is at least 0`, () => {
    fc.assert(
      fc.property(outputs, ({ global, first, second, labels }) => {
        assertGreaterOrEqual(total(global, first, second, labels, { inputType }).item(), 0);
      }),
      RUNS,
    );
  });

  Deno.test(`${name} does not depend on the order of the cells`, () => {
    fc.assert(
      fc.property(outputs, ({ global, first, second, labels, order }) => {
        const mixed = [global, first, second, labels].map((x) => reorder(x, order));
        const [g, f, s, l] = mixed as [Tensor, Tensor, Tensor, Tensor];
        assertSame(
          total(g, f, s, l, { inputType }),
          total(global, first, second, labels, { inputType }),
        );
      }),
      RUNS,
    );
  });

  Deno.test(`${name} has right gradients of first and second order`, () => {
    fc.assert(
      fc.property(outputs, fc.boolean(), (all, maskMissingLevels) => {
        const { global, first, second, labels } = all;
        const loss = (g: Tensor, f: Tensor, s: Tensor) =>
          total(g, f, s, labels, { inputType, maskMissingLevels });
        checkGradients(loss, [global, first, second], { order: 2 });
      }),
      FEW_RUNS,
    );
  });

  Deno.test(`${name} and maskMissingLevels leaves out cells without a class`, () => {
    fc.assert(
      fc.property(outputs, ({ global, first, second }) => {
        const masked = (at: number[], labels: number[]) =>
          hmcnLoss(
            sigmoid(reorder(global, at)),
            [sigmoid(reorder(first, at)), sigmoid(reorder(second, at))],
            i32(labels),
            tree,
            { inputType, maskMissingLevels: true },
          ).local;
        const deep = masked([0, 1], [3, 4]);
        const withRoots = masked([2, 0, 1, 3], [0, 3, 4, 0]);
        const [f, s] = [first, second].map((x) => sigmoid(x.slice(0, 2)));
        const plain = hmcnLoss(sigmoid(global.slice(0, 2)), [f!, s!], [3, 4], tree, { inputType });
        assertSame(withRoots, plain.local);
        assertSame(deep, plain.local);
      }),
      RUNS,
    );
  });

  Deno.test(`${name} and maskMissingLevels does not look at what it leaves out`, () => {
    for (const hole of [NaN, Infinity, 5]) {
      const first = f64([[hole, hole], [0.2, 0.7]]);
      const f = (x: Tensor) =>
        hmcnLoss([[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]], [x, x], [0, 3], tree, {
          inputType,
          maskMissingLevels: true,
        }).local;
      const only = (x: Tensor) =>
        hmcnLoss([[0.5, 0.5, 0.5]], [x, x], [3], tree, { inputType }).local;
      assertSame(f(first), only(first.slice(1)));
      const gradient = grad(f)(first);
      assertAllZero(gradient.slice(0, 1));
      assertSame(gradient.slice(1), grad(only)(first.slice(1)));
    }
  });

  Deno.test(`${name} and maskMissingLevels gives 0 where no cell has a class`, () => {
    const output = f64([[0.3, 0.6]]);
    const options = { inputType, maskMissingLevels: true };
    const local = (x: Tensor) => hmcnLoss([[0.5, 0.5, 0.5]], [x, x], [0], tree, options).local;
    assertSame(local(output), 0);
    assertAllZero(grad(local)(output));
  });
}

Deno.test("hmcnLoss() of equal logits is log L and the sum of log C", () => {
  const zero = (columns: number) => zeros([2, columns], { dtype: "float64" });
  const losses = hmcnLoss(zero(3), [zero(2), zero(2)], [3, 4], tree, { inputType: "scGPT" });
  assertSame(losses.global, Math.log(3));
  assertSame(losses.local, 2 * Math.log(2));
});

Deno.test("hmcnLoss() is 0 where probabilities equal the targets", () => {
  const losses = hmcnLoss(f64([[1, 1, 0]]), [f64([[1, 0]]), f64([[0, 0]])], [1], tree);
  assertSame(losses.global, 0);
  assertSame(losses.local, 0);
});

Deno.test("hmcnLoss() takes probabilities by default, and for all models but scGPT", () => {
  const [global, first, second] = [f64([[0.9, 0.5, 0.1]]), f64([[0.7, 0.2]]), f64([[0.4, 0.3]])];
  const local = (options?: HmcnOptions) => hmcnLoss(global, [first, second], [1], tree, options);
  for (const inputType of ["expr", "pca", "scFoundation", "GeneFormer"] as const) {
    assertEquals(local({ inputType }).local.item(), local().local.item());
  }
  const expected = -(Math.log(0.7) + Math.log(0.8)) / 2 - (Math.log(0.6) + Math.log(0.7)) / 2;
  assertAlmostEquals(local().local.item(), expected, 1e-12);
});

Deno.test("hmcnLoss() trains shallow cells towards class 0 with scGPT, as the original does", () => {
  const local = (x: Tensor) =>
    hmcnLoss([[0, 0, 0]], [x, f64([[0, 0]])], [0], tree, { inputType: "scGPT" }).local;
  assertAlmostEquals(local(f64([[0, 2]])).item(), 2.126928 + Math.log(2), 1e-6);
});

Deno.test("hmcnLoss() takes the first of several classes on a level with scGPT", () => {
  const local = (first: Tensor) =>
    hmcnLoss([[0, 0, 0]], [first, f64([[0, 0]])], [4], tree, { inputType: "scGPT" }).local;
  const gradient = grad(local)(f64([[0, 0]]));
  assertAllClose(gradient, [[-0.5, 0.5]]);
});

Deno.test("hmcnLoss() of a single level has a local loss of 0", () => {
  const root = { levels: new Int32Array([0]), membership: [[[1]]] };
  assertSame(hmcnLoss(f64([[0.5]]), [], [0], root).local, 0);
});

Deno.test("hmcnLoss() takes integer and boolean memberships", () => {
  const membership = tree.membership.map((rows) => f64(rows).cast("int32"));
  const booleans = membership.map((rows) => rows.cast("bool"));
  const [global, locals] = [f64([[0.9, 0.5, 0.1]]), [f64([[0.7, 0.2]]), f64([[0.4, 0.3]])]];
  const loss = (membership: readonly Tensor[]) =>
    hmcnLoss(global, locals, [4], { levels: tree.levels, membership }).local.item();
  const expected = hmcnLoss(global, locals, [4], tree).local.item();
  assertEquals([loss(membership), loss(booleans)], [expected, expected]);
});

Deno.test("hmcnLoss() is finite for saturated probabilities, with PyTorch's gradients", () => {
  const local = (x: Tensor) => hmcnLoss(f64([[1, 0, 1]]), [x, f64([[0, 1]])], [1], tree).local;
  assertSame(local(f64([[0, 1]])), 100 + 50);
  assertAllClose(grad(local)(f64([[0, 1]])), [[-1e12 / 2, 1e12 / 2]]);
});

Deno.test("hmcnLoss() is finite for extreme outputs", () => {
  for (const dtype of ["float32", "float64"] as const) {
    const logits = [f64([[1e4, -1e4, 0]]), f64([[-1e4, 1e4]]), f64([[0, -1e4]])];
    for (const inputType of INPUT_TYPES) {
      const loss = (g: Tensor, f: Tensor, s: Tensor) => total(g, f, s, i32([3]), { inputType });
      assertFinite(loss, logits.map((x) => x.cast(dtype)));
    }
  }
});

const output = [[0.5, 0.5, 0.5]];
const locals = [[[0.5, 0.5]], [[0.5, 0.5]]];

testMisuse("hmcnLoss", [
  [
    "another number of levels",
    () => hmcnLoss([[0.5]], locals, [0], tree),
    TypeError,
    "Cannot compute hmcnLoss as globalOutput must have the shape [cells, 3]: " +
    "current shape is [1, 1]",
  ],
  [
    "a missing local output",
    () => hmcnLoss(output, [[[0.5, 0.5]]], [0], tree),
    TypeError,
    "Cannot compute hmcnLoss as localOutputs must hold one matrix for each level below the root: " +
    "current values are 1 matrices and 3 levels",
  ],
  [
    "a local output of another number of classes",
    () => hmcnLoss(output, [[[0.5, 0.5]], [[0.5]]], [0], tree),
    TypeError,
    "Cannot compute hmcnLoss as localOutputs[1] must have the shape [1, 2]: " +
    "current shape is [1, 1]",
  ],
  [
    "another number of labels",
    () => hmcnLoss(output, locals, [0, 1], tree),
    TypeError,
    "Cannot compute hmcnLoss as globalOutput and labels must have the same number of cells: " +
    "current values are 1 and 2",
  ],
  [
    "a label of −1",
    () => hmcnLoss(output, locals, [-1], tree),
    RangeError,
    "Cannot compute hmcnLoss as labels must be in [0, 4]: current value at position 0 is -1",
  ],
  [
    "labels that are not whole",
    () => hmcnLoss(output, locals, [0.5], tree),
    TypeError,
    "Cannot compute hmcnLoss as labels must be whole numbers (int32): " +
    "current value at position 0 is 0.5",
  ],
  [
    "an unknown input type",
    () => hmcnLoss(output, locals, [0], tree, { inputType: "scgpt" as never }),
    TypeError,
    "Cannot compute hmcnLoss as inputType must be one of expr, pca, scFoundation, GeneFormer, " +
    "scGPT: current value is scgpt",
  ],
  [
    "a maskMissingLevels that is no boolean",
    () => hmcnLoss(output, locals, [0], tree, { maskMissingLevels: 1 as never }),
    TypeError,
    "Cannot compute hmcnLoss as maskMissingLevels must be true or false: current value is 1",
  ],
  [
    "an unknown option",
    () => hmcnLoss(output, locals, [0], tree, { beta: 1 } as never),
    TypeError,
    "Cannot compute hmcnLoss as there is no option beta: " +
    "the options are inputType, maskMissingLevels, check",
  ],
]);

Deno.test("hmcnLoss() rejects hierarchies whose parts do not fit", () => {
  const loss = (hierarchy: Hierarchy) => () => hmcnLoss(output, locals, [0], hierarchy);
  assertError(
    loss({ ...tree, levels: new Int32Array([0, 1, 1, 2, 3]) }),
    RangeError,
    "Cannot compute hmcnLoss as hierarchy.levels must be in [0, 2]: " +
      "current value at position 4 is 3",
  );
  assertError(
    loss({ ...tree, levels: [[0, 1, 1, 2, 2]] as never }),
    TypeError,
    "Cannot compute hmcnLoss as hierarchy.levels must have the shape [nodes]: " +
      "current shape is [1, 5]",
  );
  assertError(
    loss({ ...tree, levels: new Int32Array([0, 1, 1, 2]) }),
    TypeError,
    "Cannot compute hmcnLoss as hierarchy.membership[0] must have the shape [4, classes]: " +
      "current shape is [5, 1]",
  );
  assertError(
    loss({ ...tree, membership: tree.membership[0] as never, levels: undefined as never }),
    TypeError,
    "Cannot compute hmcnLoss as hierarchy.levels must be a tensor, a number, nested arrays, a " +
      "Float32Array, Float64Array, Int32Array or Uint8Array: current value is undefined",
  );
  assertError(
    loss({ ...tree, membership: { 0: [[1]] } as never }),
    TypeError,
    "Cannot compute hmcnLoss as hierarchy.membership must be an array: current value is an object",
  );
});
