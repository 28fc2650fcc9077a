/**
 * The leading eigenvectors of a scatter matrix that is never formed.
 *
 * @module
 */
import { symmetricEigen } from "../../kernels/linalg/eigen.ts";
import { matmul, type MatrixView } from "../../kernels/matmul/reference.ts";
import { fill, foldedKey } from "../../kernels/random/eager.ts";
import type { Matrix } from "./matrix.ts";

/** Up to this many rows or columns the decomposition is direct. */
const DIRECT = 256;

/** How many directions a space grows by at a time: eigenvalues may coincide that often. */
const BLOCK = 8;

/** How far the image of a direction may point elsewhere, relative to the largest eigenvalue. */
const TOLERANCE = 1e-9;

/** Restarts after which directions stand as they are. */
const RESTARTS = 100;

/** Directions, one per row, and how many there are. */
interface Rows {
  data: Float64Array;
  count: number;
}

/** A matrix less its column means, without a copy of it. */
export class CentredMatrix {
  /** How many rows. */
  readonly rows: number;
  /** How many columns. */
  readonly columns: number;
  readonly #data: Float32Array | Float64Array;
  readonly #mean: Float64Array;

  constructor({ data, rows, columns }: Omit<Matrix, "dtype">, mean: Float64Array) {
    this.rows = rows;
    this.columns = columns;
    const floating = data instanceof Float64Array || data instanceof Float32Array;
    this.#data = floating ? data : Float64Array.from(data);
    this.#mean = mean;
  }

  /** The centred rows themselves. */
  all(): Rows {
    const data = Float64Array.from(this.#data, (x, i) => x - this.#mean[i % this.columns]!);
    return { data, count: this.rows };
  }

  /** The rows' coordinates (rows, count) along directions (count, columns). */
  project(directions: Float64Array, count: number): Float64Array {
    const [n, p] = [this.rows, this.columns];
    const out = new Float64Array(n * count);
    const transposed = view(directions, 1, p);
    matmul(out, 0, view(this.#data, p, 1), transposed, n, p, count);
    const shift = new Float64Array(count);
    matmul(shift, 0, view(this.#mean, p, 1), transposed, 1, p, count);
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < count; c++) out[i * count + c]! -= shift[c]!;
    }
    return out;
  }

  /** Directions (count, columns) times the scatter matrix. */
  scatter(directions: Float64Array, count: number): Float64Array {
    const [n, p] = [this.rows, this.columns];
    const out = new Float64Array(count * p);
    const coordinates = this.project(directions, count);
    matmul(out, 0, view(coordinates, 1, count), view(this.#data, p, 1), count, n, p);
    // Centred coordinates sum to 0 but for rounding, which means far from 0 would magnify.
    for (let c = 0; c < count; c++) {
      let sum = 0;
      for (let i = c; i < n * count; i += count) sum += coordinates[i]!;
      for (let j = 0; j < p; j++) out[c * p + j]! -= sum * this.#mean[j]!;
    }
    return out;
  }
}

function view(
  data: Float32Array | Float64Array,
  rowStride: number,
  columnStride: number,
): MatrixView {
  return { data, offset: 0, rowStride, columnStride };
}

/** Orthonormal directions, up to a capacity, and their images under the scatter matrix. */
class Space {
  readonly #matrix: CentredMatrix;
  readonly #basis: Float64Array;
  readonly #images: Float64Array;
  readonly #capacity: number;
  #newest = 0;
  size = 0;

  constructor(matrix: CentredMatrix, capacity: number) {
    this.#matrix = matrix;
    this.#capacity = capacity;
    this.#basis = new Float64Array(capacity * matrix.columns);
    this.#images = new Float64Array(capacity * matrix.columns);
  }

  /** Adds what is new in the directions, as far as there is room; tells whether anything was. */
  add({ data, count }: Rows): boolean {
    const p = this.#matrix.columns;
    this.#newest = this.size;
    for (let c = 0; c < count && this.size < this.#capacity; c++) {
      const row = this.#basis.subarray(this.size * p, (this.size + 1) * p);
      row.set(data.subarray(c * p, (c + 1) * p));
      if (orthonormalize(row, this.#basis, this.size)) this.size++;
    }
    const added = this.#basis.subarray(this.#newest * p, this.size * p);
    this.#images.set(this.#matrix.scatter(added, this.size - this.#newest), this.#newest * p);
    return this.size > this.#newest;
  }

  /** Adds images of what was added last until the space is full, or its own image. */
  grow(candidates: Rows): void {
    const p = this.#matrix.columns;
    while (this.add(candidates) && this.size < this.#capacity) {
      const data = this.#images.slice(this.#newest * p, this.size * p);
      candidates = { data, count: this.size - this.#newest };
    }
  }

  /** The `count` best directions of the space (Rayleigh and Ritz), and their images. */
  best(count: number): Ritz {
    const [p, m] = [this.#matrix.columns, this.size];
    const within = new Float64Array(m * m);
    matmul(within, 0, view(this.#basis, p, 1), view(this.#images, 1, p), m, p, m);
    const { values, vectors } = symmetricEigen(within, m);
    const combine = (rows: Float64Array) => {
      const out = new Float64Array(count * p);
      matmul(out, 0, view(vectors, m, 1), view(rows, p, 1), count, m, p);
      return out;
    };
    return { values, directions: combine(this.#basis), images: combine(this.#images) };
  }

  /** Keeps these directions only. */
  restart({ directions, images }: Ritz): void {
    this.#basis.set(directions);
    this.#images.set(images);
    this.size = directions.length / this.#matrix.columns;
  }
}

/** Directions within a space that approximate eigenvectors. */
interface Ritz {
  values: Float64Array;
  directions: Float64Array;
  images: Float64Array;
}

/** Takes from `row` its part in the basis and scales it to length 1; false if nothing is left. */
function orthonormalize(row: Float64Array, basis: Float64Array, size: number): boolean {
  const original = norm(row);
  // Rounding leaves a part behind that a second pass removes.
  for (let pass = 0; pass < 2; pass++) {
    for (let at = 0; at < size * row.length; at += row.length) {
      let product = 0;
      for (let j = 0; j < row.length; j++) product += row[j]! * basis[at + j]!;
      for (let j = 0; j < row.length; j++) row[j]! -= product * basis[at + j]!;
    }
  }
  const length = norm(row);
  if (!(length > 1e-12 * original)) return false;
  for (let j = 0; j < row.length; j++) row[j]! /= length;
  return true;
}

function norm(row: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < row.length; j++) sum += row[j]! * row[j]!;
  return Math.sqrt(sum);
}

/**
 * The largest eigenvalues of the scatter matrix and their eigenvectors, one per row.
 *
 * A space that holds every column, or every row, is complete at once. Otherwise this is a block
 * Lanczos iteration with thick restarts (Wu and Simon 2000,
 * https://doi.org/10.1137/S0895479898334605): the space grows by images of its newest directions;
 * when it is full the best directions stay, and what their images have outside of it comes next,
 * until that is next to nothing.
 */
export function leadingDirections(
  x: CentredMatrix,
  count: number,
): { values: Float64Array; vectors: Float64Array } {
  const p = x.columns;
  const smaller = Math.min(x.rows, p);
  const direct = smaller <= DIRECT;
  const kept = Math.min(count + BLOCK, smaller);
  const room = direct ? smaller : Math.min(kept + Math.max(80, 2 * kept), smaller);
  const space = new Space(x, room);
  if (direct) space.add(p === smaller ? unitRows(p) : x.all());
  else space.grow(noise(p, BLOCK, 0));
  for (let i = 1; space.size < count; i++) space.add(noise(p, 1, i));
  for (let restart = 0;; restart++) {
    const ritz = space.best(Math.min(kept, space.size));
    const rest = outside(ritz, p);
    if (restart === RESTARTS || largest(rest, count, p) <= TOLERANCE * Math.abs(ritz.values[0]!)) {
      return { values: ritz.values.slice(0, count), vectors: ritz.directions.slice(0, count * p) };
    }
    space.restart(ritz);
    space.grow({ data: rest.subarray((space.size - BLOCK) * p), count: BLOCK });
  }
}

/** What the images have outside of the space. */
function outside({ values, directions, images }: Ritz, p: number): Float64Array {
  return images.map((value, i) => value - values[Math.floor(i / p)]! * directions[i]!);
}

/** The largest length among the first rows. */
function largest(rows: Float64Array, count: number, p: number): number {
  let length = 0;
  for (let c = 0; c < count; c++) {
    length = Math.max(length, norm(rows.subarray(c * p, (c + 1) * p)));
  }
  return length;
}

function unitRows(n: number): Rows {
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) data[i * (n + 1)] = 1;
  return { data, count: n };
}

function noise(p: number, count: number, seed: number): Rows {
  const data = new Float64Array(count * p);
  fill("normal", data, foldedKey([0, 0], seed));
  return { data, count };
}
