/** Rows of windows and convolutions: references that walk positions one by one. */
import fc from "fast-check";
import { zeros } from "../../src/create.ts";
import * as conv from "../../src/ops/conv.ts";
import * as windows from "../../src/ops/windows.ts";
import { grad } from "../../src/transforms/grad.ts";
import { mul, sum } from "../../src/ops/mod.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";
import { numbers, tensors } from "./arbitraries.ts";
import { at, type Case, type Row } from "./structural_table.ts";

const values = numbers([-3, 3]);
const f64 = (data: number[], shape: number[]) => tensor(data, { shape, dtype: "float64" });
const few = fc.integer({ min: 1, max: 2 });

/** Windows along the first and the last axis of three. */
const slidingCases: fc.Arbitrary<Case> = fc.tuple(
  fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 2 }),
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 2 }),
  fc.array(few, { minLength: 2, maxLength: 2 }),
  fc.nat({ max: 3 }),
).chain(([size, stride, dilation, more]) => {
  const reach = size.map((n, i) => (n - 1) * dilation[i]! + 1);
  const shape = [reach[0]! + more, 2, reach[1]! + 2];
  return tensors(shape, values).map((x) => {
    const counts = [shape[0]!, shape[2]!].map((n, i) =>
      Math.floor((n - reach[i]!) / stride[i]!) + 1
    );
    return {
      inputs: [x],
      call: (y: Tensor) => windows.slidingWindow(y, { size, stride, dilation, axes: [0, -1] }),
      shape: [counts[0]!, 2, counts[1]!, ...size],
      value: ([i, j, k, p, q]: readonly number[]) =>
        at(x, [i! * stride[0]! + p! * dilation[0]!, j!, k! * stride[1]! + q! * dilation[1]!]),
    };
  });
});

/** Options and extents of a convolution of two axes, with two groups. */
const geometries = fc.record({
  stride: few,
  dilation: few,
  padding: fc.nat({ max: 2 }),
  places: fc.tuple(few, fc.integer({ min: 1, max: 3 })),
  more: fc.nat({ max: 2 }),
}).map(({ places, more, ...options }) => {
  const reach = places.map((n) => (n - 1) * options.dilation + 1);
  return { ...options, size: [...places], space: reach.map((n) => n + more) };
});

type Geometry = typeof geometries extends fc.Arbitrary<infer G> ? G : never;

const options = ({ stride, dilation, padding }: Geometry) => ({
  ...{ stride, dilation, padding, groups: 2 },
});

const countOf = ({ space, size, stride, dilation, padding }: Geometry) =>
  space.map((n, i) => Math.floor((n + 2 * padding - (size[i]! - 1) * dilation - 1) / stride) + 1);

/** Visits what meets in a convolution: positions of images, kernels and outputs. */
function meet(
  geometry: Geometry,
  visit: (x: number[], w: number[], y: number[]) => void,
): void {
  const { space: [height, width], size: [down, across], stride, dilation, padding } = geometry;
  const [rows, columns] = countOf(geometry);
  for (let group = 0; group < 2; group++) {
    for (let place = 0; place < rows! * columns! * down! * across!; place++) {
      const [i, j] = [place % rows!, Math.floor(place / rows!) % columns!];
      const within = Math.floor(place / (rows! * columns!));
      const [p, q] = [within % down!, Math.floor(within / down!)];
      const [y, x] = [i * stride + p * dilation - padding, j * stride + q * dilation - padding];
      if (y < 0 || x < 0 || y >= height! || x >= width!) continue;
      visit([0, group, y, x], [group, 0, p, q], [0, group, i, j]);
    }
  }
}

const same = (a: readonly number[], b: readonly number[]) => a.every((n, i) => n === b[i]);

const convCases: fc.Arbitrary<Case> = geometries.chain((geometry) =>
  fc.tuple(
    tensors([1, 2, ...geometry.space], values),
    tensors([2, 1, ...geometry.size], values),
  ).map(([x, w]) => ({
    inputs: [x, w],
    call: (x: Tensor, w: Tensor) => conv.conv(x, w, options(geometry)),
    shape: [1, 2, ...countOf(geometry)],
    value(position) {
      let found = 0;
      meet(geometry, (i, k, o) => found += same(o, position) ? at(x, i) * at(w, k) : 0);
      return found;
    },
  }))
);

const transposedCases: fc.Arbitrary<Case> = geometries.map((geometry) => {
  const least = geometry.size.map((n) => (n - 1) * geometry.dilation + geometry.stride);
  return { ...geometry, padding: Math.min(geometry.padding, Math.floor(Math.min(...least) / 2)) };
}).chain((geometry) => {
  const { size, stride, dilation, padding } = geometry;
  const out = [2, 3];
  const space = out.map((n, i) => (n - 1) * stride - 2 * padding + dilation * (size[i]! - 1) + 1);
  return fc.tuple(
    tensors([1, 2, ...out], values),
    tensors([2, 1, ...size], values),
  ).map(([y, w]) => ({
    inputs: [y, w],
    call: (y: Tensor, w: Tensor) => conv.conv(y, w, { ...options(geometry), transposed: true }),
    shape: [1, 2, ...space],
    value(position: readonly number[]) {
      let found = 0;
      const own = { ...geometry, space };
      meet(own, (i, k, o) => found += same(i, position) ? at(y, o) * at(w, k) : 0);
      return found;
    },
  }));
});

/** The gradient by a kernel of zeros: the sums of what each of its places meets. */
const kernelCases: fc.Arbitrary<Case> = geometries.chain((geometry) =>
  fc.tuple(
    tensors([1, 2, ...geometry.space], values),
    tensors([1, 2, ...countOf(geometry)], values),
  ).map(([x, y]) => ({
    inputs: [x, y],
    call: (x: Tensor, y: Tensor) =>
      grad((w: Tensor) => sum(mul(conv.conv(x, w, options(geometry)), y)))(
        zeros([2, 1, ...geometry.size], { dtype: x.dtype }),
      ),
    shape: [2, 1, ...geometry.size],
    value(position) {
      let found = 0;
      meet(geometry, (i, k, o) => found += same(k, position) ? at(x, i) * at(y, o) : 0);
      return found;
    },
  }))
);

/** The rows. */
export const WINDOW_ROWS: readonly Row[] = [
  {
    op: windows.slidingWindowOp,
    order: 2,
    cases: slidingCases,
    edges: [
      {
        call: () => windows.slidingWindow(f64([], [0, 3]), { size: 2 }),
        expected: f64([], [0, 2, 2]),
      },
      { call: () => windows.slidingWindow(f64([7], [1]), { size: [] }), expected: f64([7], [1]) },
      { call: () => windows.slidingWindow(f64([7], []), { size: [] }), expected: f64([7], []) },
    ],
  },
  {
    op: conv.convOp,
    order: 2,
    cases: convCases,
    edges: [
      {
        call: () => conv.conv(f64([], [0, 1, 3]), f64([1, 1], [1, 1, 2])),
        expected: f64([], [0, 1, 2]),
      },
      {
        call: () => conv.conv(f64([], [1, 0, 3]), f64([], [2, 0, 2])),
        expected: f64([0, 0, 0, 0], [1, 2, 2]),
      },
    ],
  },
  {
    op: conv.transposedConvOp,
    order: 2,
    cases: transposedCases,
    edges: [{
      call: () => conv.conv(f64([], [0, 1, 3]), f64([1, 1], [1, 1, 2]), { transposed: true }),
      expected: f64([], [0, 1, 4]),
    }],
  },
  {
    op: conv.convKernelOp,
    order: 2,
    cases: kernelCases,
    edges: [{
      call: () =>
        grad((w: Tensor) => sum(conv.conv(f64([], [0, 1, 3]), w)))(f64([1, 1], [1, 1, 2])),
      expected: f64([0, 0], [1, 1, 2]),
    }],
  },
];
