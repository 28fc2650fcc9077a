import { nearestOption } from "../src/habits.ts";
import { checkNumber, checkOptions, checkWhole, numberIn, readOptions } from "../src/options.ts";
import { crossEntropyLoss, focalLoss, maskedVoxelLoss } from "@cellgrad/cellgrad/losses";
import { assertEquals } from "@std/assert";
import { testMisuse } from "./losses/laws.ts";

interface Options {
  scale?: number | undefined;
  mode?: "a" | "b" | undefined;
  weight?: readonly number[] | undefined;
}

const read = (options: Options) =>
  readOptions("example", options, { scale: 2, mode: "a", weight: undefined });

Deno.test("readOptions() fills in defaults, and leaves undefined what has none", () => {
  assertEquals(read({ mode: "b" }), { scale: 2, mode: "b", weight: undefined });
});

Deno.test("readOptions() takes undefined for the default", () => {
  assertEquals(read({ scale: undefined, weight: [1] }), { scale: 2, mode: "a", weight: [1] });
});

Deno.test("readOptions() takes objects without a prototype", () => {
  const options: Options = Object.assign(Object.create(null), { scale: 3 });
  assertEquals(read(options).scale, 3);
});

Deno.test("losses take an option that is undefined for its default", () => {
  const [logits, labels] = [[[1, 2], [0, 3]], [0, 1]];
  const nothing = { weight: undefined, gamma: undefined, ptFromWeighted: undefined };
  assertEquals(
    focalLoss(logits, labels, { ...nothing, alpha: undefined }).item(),
    focalLoss(logits, labels).item(),
  );
  assertEquals(
    crossEntropyLoss(logits, labels, { ignoreIndex: undefined, reduction: undefined }).item(),
    crossEntropyLoss(logits, labels).item(),
  );
  assertEquals(
    maskedVoxelLoss(logits, labels, [1, 0], nothing).item(),
    maskedVoxelLoss(logits, labels, [1, 0]).item(),
  );
});

testMisuse("readOptions", [
  [
    "null",
    () => read(null as never),
    TypeError,
    "Cannot compute example as options must be an object with any of scale, mode, weight: " +
    "current value is null",
  ],
  [
    "a number",
    () => read(2 as never),
    TypeError,
    "Cannot compute example as options must be an object with any of scale, mode, weight: " +
    "current value is 2",
  ],
  [
    "an option that does not exist, even undefined",
    () => read({ size: undefined } as never),
    TypeError,
    "Cannot compute example as there is no option size: the options are scale, mode, weight",
  ],
]);

const checked = (...args: unknown[]) =>
  checkOptions("example", { axis: checkWhole, scale: numberIn({ above: 0 }) }, 1, args);

testMisuse("checkOptions", [
  [
    "an option that other libraries call so",
    () => checked(1, { dim: 1 }),
    TypeError,
    "Cannot compute example as there is no option dim: did you mean axis? " +
    "The options are axis, scale",
  ],
  [
    "an option that every object has",
    () => checked(1, { constructor: 1 }),
    TypeError,
    "Cannot compute example as there is no option constructor: the options are axis, scale",
  ],
  [
    "the value of an option in the place of the options",
    () => checked(1, 2),
    TypeError,
    "Cannot compute example as options must be an object with any of axis, scale: " +
    "current value is 2: did you mean { axis: 2 }?",
  ],
  [
    "the value of the second option in the place of the options",
    () => checked(1, 0.5),
    TypeError,
    "Cannot compute example as options must be an object with any of axis, scale: " +
    "current value is 0.5: did you mean { scale: 0.5 }?",
  ],
  [
    "null",
    () => checked(1, null),
    TypeError,
    "Cannot compute example as options must be an object with any of axis, scale: " +
    "current value is null",
  ],
  [
    "an array",
    () => checked(1, ["a"]),
    TypeError,
    "Cannot compute example as options must be an object with any of axis, scale: " +
    'current value is ["a"]',
  ],
  [
    "an argument after the options",
    () => checked(1, {}, true),
    TypeError,
    "Cannot compute example as it takes nothing after options: current value is true",
  ],
  [
    "an option of the wrong kind",
    () => checked(1, { axis: "1" }),
    TypeError,
    'Cannot compute example as axis must be a whole number: current value is "1"',
  ],
  [
    "an option out of range",
    () => checked(1, { scale: 0 }),
    RangeError,
    "Cannot compute example as scale must be a finite number above 0: current value is 0",
  ],
]);

Deno.test("checkOptions() takes nothing, undefined, and options that are undefined", () => {
  checked(1);
  checked(1, undefined);
  checked(1, { axis: undefined, scale: 2 });
});

Deno.test("the nearest option is found by habit, by spelling and by letters", () => {
  const options = ["axis", "keepDims", "epsilon", "correction", "learningRate", "beta1", "beta2"];
  const nearest = Object.entries({
    dims: "axis",
    keepdim: "keepDims",
    keep_dims: "keepDims",
    eps: "epsilon",
    epsilom: "epsilon",
    ddof: "correction",
    unbiased: "correction: 1",
    lr: "learningRate",
    betas: "beta1 and beta2",
    beta3: "beta1",
    learning: "learningRate",
    seed: undefined,
    x: undefined,
  });
  for (const [name, option] of nearest) assertEquals(nearestOption(name, options), option);
});

Deno.test("options of preprocessing are found by scanpy's names", () => {
  const options = ["top", "bins", "batchKey", "minDispersion", "components", "check"];
  const nearest = Object.entries({
    n_top_genes: "top",
    n_bins: "bins",
    batch: "batchKey",
    min_disp: "minDispersion",
    n_comps: "components",
    n_components: "components",
    check_values: "check",
  });
  for (const [name, option] of nearest) assertEquals(nearestOption(name, options), option);
});

Deno.test("checkNumber() takes infinities only where they will do", () => {
  for (const x of [-Infinity, 0, Infinity]) checkNumber("example", "x", x, { infinite: true });
});

testMisuse("checkNumber", [
  [
    "a limit that must not be reached",
    () => checkNumber("example", "x", 1, { above: 0, below: 1 }),
    RangeError,
    "Cannot compute example as x must be a finite number above 0 and below 1: current value is 1",
  ],
  [
    "a limit that must be exceeded",
    () => checkNumber("example", "x", 0, { above: 0 }),
    RangeError,
    "Cannot compute example as x must be a finite number above 0: current value is 0",
  ],
  [
    "a fraction for a whole number",
    () => checkNumber("example", "k", 1.5, { min: 1, max: 3, integer: true }),
    RangeError,
    "Cannot compute example as k must be a whole number at least 1 and at most 3: " +
    "current value is 1.5",
  ],
  [
    "NaN",
    () => checkNumber("example", "x", NaN),
    TypeError,
    "Cannot compute example as x must be a finite number: current value is NaN",
  ],
]);
