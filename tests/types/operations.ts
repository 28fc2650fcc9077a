// Type-checked only: which axes, options and types operations take.
import {
  cast,
  elu,
  flip,
  gelu,
  hardtanh,
  linspace,
  meshgrid,
  nanToNum,
  pad,
  repeat,
  roll,
  scatterSet,
  segmentMax,
  slice,
  type Tensor,
  tensor,
  tile,
  trace,
  tril,
} from "../../mod.ts";

/** Wants a value of a type. */
declare function is<T>(value: T): void;

const x = tensor([[1, 2], [3, 4]]);

is<Tensor>(gelu(x, { approximate: "tanh" }).elu({ alpha: 2 }).hardtanh({ min: -2 }));
is<Tensor>(x.isFinite().logicalAnd([true, false]).logicalNot());
is<Tensor>(x.pad([[1, 0], [0, 1]], { mode: "reflect" }).flip({ axis: [0, 1] }).roll(1));
is<Tensor>(x.slice(0, 2, { step: 2 }).at(-1).tile(2).repeat(3, { axis: 0 }));
is<Tensor[]>(meshgrid([1, 2], new Float32Array(3)));
is<number>(trace(x).item());
is<number>(x.at(0, 1).data.map((value) => value + 1).reduce((a, b) => a + b, 0));
const widths: readonly (readonly [number, number])[] = [[1, 1], [0, 0]];
pad(x, widths);
const step: readonly number[] = [1, 2];
slice(x, [0, 0], [2, 2], { step });
gelu(x, { approximate: undefined });
// @ts-expect-error: no such approximation
gelu(x, { approximate: "erf" });
// @ts-expect-error: no such option
elu(x, { slope: 1 });
// @ts-expect-error: a limit is a number
hardtanh(x, { min: "0" });
// @ts-expect-error: no such option
nanToNum(x, { posinf: 1 });
// @ts-expect-error: no such mode
pad(x, [[1, 1], [1, 1]], { mode: "wrap" });
// @ts-expect-error: a pair for each axis
pad(x, [1, 1]);
// @ts-expect-error: a pair has two numbers
pad(x, [[1, 1], [1]]);
// @ts-expect-error: an axis is a number
flip(x, { axis: "rows" });
// @ts-expect-error: one axis
roll(x, 1, { axis: [0, 1] });
// @ts-expect-error: by how many places
roll(x);
// @ts-expect-error: the same number of times
repeat(x, [1, 2]);
// @ts-expect-error: how often
tile(x, "2");
// @ts-expect-error: the step is an option
slice(x, 0, 2, 2);
// @ts-expect-error: positions are numbers
x.at([0], 1);
// @ts-expect-error: no such option
tril(x, { k: 1 });
// @ts-expect-error: how many segments
segmentMax(x, [0, 1]);
// @ts-expect-error: one axis
scatterSet(x, [0], x, { axis: [0] });
// @ts-expect-error: no such type
linspace(0, 1, 3, { dtype: "float16" });
// @ts-expect-error: no such type
cast(x, "int64");
// @ts-expect-error: text is no tensor
x.outer("x");
// @ts-expect-error: an operation on one tensor
x.silu(2);
