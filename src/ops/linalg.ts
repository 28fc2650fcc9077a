/**
 * Products of matrices and comparisons of all pairs of rows.
 *
 * @module
 */
import { innerProducts } from "../../kernels/matmul/eager.ts";
import { copyView, type Strides } from "../../kernels/layout/reference.ts";
import {
  type InnerProducts,
  type MatrixView,
  type ProductLayout,
  splitOuter,
} from "../../kernels/matmul/reference.ts";
import { zeros } from "../create.ts";
import { allocate, type FloatArray, type TypedArray } from "../dtype.ts";
import { type Composite, perInput, type ProductOp, type Spec } from "../op.ts";
import { checkOptions, refuseMore } from "../options.ts";
import {
  broadcastShapes,
  broadcastStrides,
  formatShape,
  sameShape,
  type Shape,
  sizeOf,
  stridesOf,
} from "../shape.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { apply } from "../trace.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { COSINE } from "./checks.ts";
import { floating, promoteAll } from "./elementwise.ts";
import { stopGradient } from "./gradient.ts";
import { expandDims, reshape, squeeze, transpose } from "./layout.ts";
import { l2Normalize } from "./normalize.ts";
import { mean, sum } from "./reduce.ts";

/** Which operands of a product lie transposed; or where all matrices lie. */
interface MatmulParams {
  readonly a: boolean;
  readonly b: boolean;
  readonly layout?: ProductLayout;
}

/** Products of the matrices in the last two axes; the axes before them broadcast. */
export const matmulOp: ProductOp<MatmulParams> = {
  kind: "product",
  name: "matmul",
  term: "product",
  layout: layoutOf,
  placed: (layout) => ({ a: false, b: false, layout }),
  forward: (inputs, params, spec) =>
    multiplyAll(innerProducts.product, inputs, layoutOf(shapesOf(inputs), params), spec),
  infer([a, b], params) {
    const layout = layoutOf([a!.shape, b!.shape], params);
    return { shape: [...splitOuter(layout).kept, layout.m, layout.n], dtype: a!.dtype };
  },
  vjp: perInput(
    (g, _y, [, b], transposed) =>
      transposed.a
        ? product(b!, g, { a: transposed.b, b: true })
        : product(g, b!, { a: false, b: !transposed.b }),
    (g, _y, [a], transposed) =>
      transposed.b
        ? product(g, a!, { a: true, b: transposed.a })
        : product(a!, g, { a: !transposed.a, b: false }),
  ),
};

/** The sums of all matrices, each in its place. */
function multiplyAll(
  multiply: InnerProducts,
  [a, b]: readonly Tensor[],
  layout: ProductLayout,
  { shape, dtype }: Spec,
): TypedArray {
  const { outer, m, k, n, ...places } = layout;
  const products = allocate(dtype, sizeOf(shape)) as FloatArray;
  const left = matricesIn(a!.data, outer, places.a);
  const right = matricesIn(b!.data, outer, places.b);
  const { kept, sums } = splitOuter(layout);
  const terms = sizeOf(sums);
  const term = allocate(dtype, terms > 1 ? m * n : 0) as FloatArray;
  left.forEach((matrix, i) => {
    if (terms === 1) return multiply(products, i * m * n, matrix, right[i]!, m, k, n);
    multiply(term, 0, matrix, right[i]!, m, k, n);
    addTo(products, Math.floor(i / terms) * m * n, term);
  });
  const whole = [...kept, m, n];
  const plain = { data: products, offset: 0, strides: stridesOf(whole) };
  const { offset, strides } = places.out;
  const own = [...strides.slice(0, kept.length), ...strides.slice(-2)];
  if (sameShape(own, plain.strides)) return products;
  const out = { data: allocate(dtype, sizeOf(shape)), offset, strides: own };
  copyView(out, plain, whole);
  return out.data;
}

function addTo(sums: FloatArray, at: number, terms: FloatArray): void {
  for (let i = 0; i < terms.length; i++) sums[at + i]! += terms[i]!;
}

/** Products of matrices that lie in their tensors as a layout says, each result in its own place. */
export function productOf(a: Tensor, b: Tensor, layout: Omit<ProductLayout, "out">): Tensor {
  const { kept, sums } = splitOuter({ ...layout, out: layout.a });
  const shape = [...kept, layout.m, layout.n];
  if (sizeOf(sums) === 0) return zeros(shape, { dtype: a.dtype });
  const own = stridesOf(shape);
  const strides = [...own.slice(0, -2), ...sums.map(() => 0), ...own.slice(-2)];
  const placed = { ...layout, out: { offset: 0, strides } };
  return apply(matmulOp, [a, b], { a: false, b: false, layout: placed });
}

function product(a: Tensor, b: Tensor, transposed: MatmulParams): Tensor {
  return apply(matmulOp, [a, b], transposed);
}

/** Where the matrices in the last two axes lie. */
function layoutOf([a, b]: readonly Shape[], params: MatmulParams): ProductLayout {
  if (params.layout !== undefined) return params.layout;
  const outer = broadcastShapes("matmul", a!.slice(0, -2), b!.slice(0, -2));
  const place = (shape: Shape, isTransposed: boolean): Strides => {
    const [rows, columns] = shape.slice(-2) as [number, number];
    const around = broadcastStrides(shape.slice(0, -2), outer).map((by) => by * rows * columns);
    return { offset: 0, strides: [...around, ...isTransposed ? [1, columns] : [columns, 1]] };
  };
  const [m, k] = params.a ? [a!.at(-1)!, a!.at(-2)!] : [a!.at(-2)!, a!.at(-1)!];
  const n = b!.at(params.b ? -2 : -1)!;
  const out = { offset: 0, strides: stridesOf([...outer, m, n]) };
  return { outer, m, k, n, a: place(a!, params.a), b: place(b!, params.b), out };
}

/** The matrices for all positions along outer axes. */
function matricesIn(data: TypedArray, outer: Shape, { offset, strides }: Strides): MatrixView[] {
  const [rowStride, columnStride] = strides.slice(-2) as [number, number];
  return placesAlong(outer, strides, offset).map((offset) => (
    { data: data as FloatArray, offset, rowStride, columnStride }
  ));
}

/** The places of all positions along axes, in order. */
export function placesAlong(axes: Shape, strides: readonly number[], offset = 0): number[] {
  return axes.reduce(
    (found, extent, axis) =>
      found.flatMap((at) => Array.from({ length: extent }, (_, i) => at + i * strides[axis]!)),
    [offset],
  );
}

/** Products of all pairs of rows of one matrix. */
const ownProductsOp: Composite<null> = {
  name: "rowProducts",
  compose: ([x]) => matmul(x!, transpose(x!)),
  vjp: (g, _products, [x]) => [matmul(bothWays(g), x!)],
};

/** `x · yᵀ`, the products of all rows of two matrices; of one with itself, with half the work. */
export function rowProducts(x: Tensor, y: Tensor): Tensor {
  return x === y ? apply(ownProductsOp, [x], null) : matmul(x, transpose(y));
}

/** What pairs of rows of one matrix contribute, as each pair is there twice. */
function bothWays(g: Tensor): Tensor {
  return add(g, transpose(g));
}

/** Of rows beside rows. */
function distanceLayout(shapes: readonly Shape[]): ProductLayout {
  return layoutOf(shapes, { a: false, b: true });
}

function shapesOf(tensors: readonly Tensor[]): Shape[] {
  return tensors.map(({ shape }) => shape);
}

/** Squared distances between the rows of two matrices. */
export const pairwiseSquaredDistanceOp: ProductOp<null> = {
  kind: "product",
  name: "pairwiseSquaredDistance",
  term: "squaredDifference",
  layout: distanceLayout,
  infer: ([x, y]) => ({ shape: [x!.shape[0]!, y!.shape[0]!], dtype: x!.dtype }),
  forward: (inputs, _params, spec) =>
    multiplyAll(innerProducts.squaredDifference, inputs, distanceLayout(shapesOf(inputs)), spec),
  vjp: perInput(
    (g, _d, [x, y]) => pullDistances(sum(g, { axis: 1 }), (z) => matmul(g, z), x!, y!),
    (g, _d, [x, y]) => pullDistances(sum(g, { axis: 0 }), (z) => matmul(transpose(g), z), y!, x!),
  ),
};

/** Squared distances among the rows of one matrix. */
const ownDistancesOp: Composite<null> = {
  name: "pairwiseSquaredDistance",
  compose: ([x]) => apply(pairwiseSquaredDistanceOp, [x!, x!], null),
  vjp(g, _d, inputs) {
    const [x, pairs] = [inputs[0]!, bothWays(g)];
    return [pullDistances(sum(pairs, { axis: 1 }), (z) => matmul(pairs, z), x, x)];
  },
};

/**
 * `2 Σ_j g_ij (x_i − y_j)`, with both moved to the middle of y, where no digits are lost; from the
 * sums of g over j, and its product with a matrix.
 */
function pullDistances(
  sums: Tensor,
  product: (z: Tensor) => Tensor,
  x: Tensor,
  y: Tensor,
): Tensor {
  const middle = y.size === 0 ? 0 : stopGradient(mean(y, { axis: 0 }));
  const weighted = mul(sub(x, middle), expandDims(sums, 1));
  return mul(sub(weighted, product(sub(y, middle))), 2);
}

/**
 * Matrix product, with NumPy's rules: the last two axes are matrices, the axes before them
 * broadcast, and a tensor of rank 1 is a row on the left and a column on the right.
 *
 * Sums run in float64, but for `float32` matrices of 2¹⁵ multiplications or more, where the engine
 * has WebAssembly SIMD: there, sums run in float32 and deviate from the exact ones by at most
 * `(min(k, 256) + ⌈k / 256⌉ + 1) · 2⁻²⁴ · Σ |a| |b|`. Where b is one matrix, so are all rows of a.
 *
 * @param a (…, m, k)
 * @param b (…, k, n)
 * @returns (…, m, n), in the stronger of the types; integers give `float32`.
 * @throws {TypeError} If the inner extents differ, a rank is 0, or the outer axes do not broadcast.
 *
 * @example A row times a matrix
 * ```ts
 * import { matmul } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(matmul([[1, 2]], [[3, 4], [5, 6]]).toArray(), [[13, 16]]);
 * assertEquals(matmul([1, 2], [3, 4]).item(), 11);
 * ```
 */
export function matmul(a: TensorLike, b: TensorLike): Tensor {
  if (arguments.length > 2) refuseMore("matmul", "b", 2, arguments);
  const [left, right] = promoteAll("matmul", { a, b }).map(floating) as [Tensor, Tensor];
  if (left.rank === 0 || right.rank === 0) throw mismatch("be of rank 1 or more", left, right);
  const rows = left.rank === 1 ? expandDims(left, 0) : left;
  const columns = right.rank === 1 ? expandDims(right, 1) : right;
  if (rows.shape.at(-1) !== columns.shape.at(-2)) {
    throw mismatch("agree in the columns of a and the rows of b", left, right);
  }
  const products = multiplyRows(rows, columns);
  const dropped = [...(left.rank === 1 ? [-2] : []), ...(right.rank === 1 ? [-1] : [])];
  return dropped.length === 0 ? products : squeeze(products, dropped);
}

/** Products of matrices; a stack of rows times one matrix is one product. */
function multiplyRows(rows: Tensor, columns: Tensor): Tensor {
  const plain = { a: false, b: false };
  if (rows.rank === 2 || columns.rank > 2) return product(rows, columns, plain);
  const [outer, k] = [rows.shape.slice(0, -1), rows.shape.at(-1)!];
  const products = product(reshape(rows, [sizeOf(outer), k]), columns, plain);
  return reshape(products, [...outer, columns.shape[1]!]);
}

function mismatch(must: string, a: Tensor, b: Tensor): TypeError {
  return new TypeError(
    `Cannot compute matmul as a and b must ${must}: ` +
      `current shapes are ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
  );
}

/** Two matrices of the same number of columns, in one floating type. */
export function rowPairs(caller: string, x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  const [a, b] = promoteAll(caller, { x, y }).map(floating) as [Tensor, Tensor];
  if (a.rank !== 2 || b.rank !== 2 || a.shape[1] !== b.shape[1]) {
    throw new TypeError(
      `Cannot compute ${caller} as x and y must be matrices with the same number of columns: ` +
        `current shapes are ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  }
  return [a, b];
}

/**
 * Squared Euclidean distances between all pairs of rows, computed as `Σ (x − y)²`: exact far from
 * the origin, where the usual expansion by inner products is not.
 *
 * Sums run in float64, but for `float32` matrices with n·m·d of 2¹⁵ or more, where the engine has
 * WebAssembly SIMD: there, sums run in float32 and deviate from the exact ones by at most
 * `(min(d, 256) + ⌈d / 256⌉ + 3) · 2⁻²⁴` of their size.
 *
 * @param x (n, d)
 * @param y (m, d); `x` itself by default.
 * @returns (n, m), at least 0, in squared units of the data.
 * @throws {TypeError} If the arguments are not matrices with the same number of columns.
 *
 * @example Two cells
 * ```ts
 * import { pairwiseSquaredDistance } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pairwiseSquaredDistance([[0, 0], [3, 4]]).toArray(), [[0, 25], [25, 0]]);
 * ```
 */
export function pairwiseSquaredDistance(x: TensorLike, y: TensorLike = x): Tensor {
  if (arguments.length > 2) refuseMore("pairwiseSquaredDistance", "y", 2, arguments);
  const [a, b] = rowPairs("pairwiseSquaredDistance", x, y);
  if (a === b) return apply(ownDistancesOp, [a], null);
  return apply(pairwiseSquaredDistanceOp, [a, b], null);
}

/** Options of {@linkcode cosineSimilarity}. */
export interface CosineSimilarityOptions {
  /** What shorter lengths are raised to; 1e-12 by default. */
  epsilon?: number | undefined;
}

/**
 * Cosines of the angles between all pairs of rows.
 *
 * @param x (n, d)
 * @param y (m, d); `x` itself by default.
 * @param options `epsilon`, 1e-12 by default.
 * @returns (n, m), in [−1, 1]: 1 for the same direction, 0 for a right angle or a row of zeros.
 * @throws {TypeError} If the arguments are not matrices with the same number of columns.
 *
 * @example A right angle
 * ```ts
 * import { cosineSimilarity } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(cosineSimilarity([[2, 0], [0, 3]]).toArray(), [[1, 0], [0, 1]]);
 * ```
 */
export function cosineSimilarity(
  x: TensorLike,
  y: TensorLike = x,
  options: CosineSimilarityOptions = {},
): Tensor {
  if (arguments.length > 2) checkOptions("cosineSimilarity", COSINE, 2, arguments);
  const [a, b] = rowPairs("cosineSimilarity", x, y);
  const units = l2Normalize(a, options);
  return rowProducts(units, a === b ? units : l2Normalize(b, options));
}
