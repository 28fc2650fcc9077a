/**
 * The leading eigenvectors of a scatter matrix.
 *
 * @module
 */
import { symmetricEigen } from "../../kernels/linalg/eigen.ts";
import { matmul } from "../../kernels/matmul/eager.ts";
import { fill, foldedKey } from "../../kernels/random/eager.ts";
import { type Centred, type Rows, type Symmetric, view } from "./centred.ts";
import { Formed } from "./formed.ts";

/** Up to this many rows or columns the decomposition is direct. */
const DIRECT = 256;

/** Up to this many columns the scatter matrix is formed: 200 MB. */
const FORMED = 5000;

/** How many directions a space grows by at a time: eigenvalues may coincide that often. */
const BLOCK = 8;

/** How far the image of a direction may point elsewhere, relative to the largest eigenvalue. */
const TOLERANCE = 1e-9;

/** Restarts after which directions stand as they are. */
const RESTARTS = 100;

/** Orthonormal directions, up to a capacity, and their images under the scatter matrix. */
class Space {
  readonly #matrix: Symmetric;
  readonly #basis: Float64Array;
  readonly #images: Float64Array;
  readonly #capacity: number;
  /** The extent of the directions. */
  readonly columns: number;
  #newest = 0;
  size = 0;

  constructor(matrix: Symmetric, capacity: number) {
    this.#matrix = matrix;
    this.columns = matrix.columns;
    this.#capacity = capacity;
    this.#basis = new Float64Array(capacity * matrix.columns);
    this.#images = new Float64Array(capacity * matrix.columns);
  }

  /** Adds what is new in the directions, as far as there is room; tells whether anything was. */
  add({ data, count }: Rows): boolean {
    const p = this.columns;
    const rows = data.slice(0, count * p);
    const original = lengths(rows, p);
    // Rounding leaves a part of the basis behind that a second pass removes.
    for (let pass = 0; pass < 2; pass++) {
      this.#remove(rows, count);
      count = orthonormalize(rows, p, count, original);
    }
    this.#newest = this.size;
    this.size = Math.min(this.#capacity, this.size + count);
    const added = rows.subarray(0, (this.size - this.#newest) * p);
    this.#basis.set(added, this.#newest * p);
    this.#images.set(this.#matrix.scatter(added, this.size - this.#newest), this.#newest * p);
    return this.size > this.#newest;
  }

  /** Takes from rows their part in the basis. */
  #remove(rows: Float64Array, count: number): void {
    const [p, m] = [this.columns, this.size];
    const within = new Float64Array(count * m);
    matmul(within, 0, view(rows, p, 1), view(this.#basis, 1, p), count, p, m);
    const part = new Float64Array(count * p);
    matmul(part, 0, view(within, m, 1), view(this.#basis, p, 1), count, m, p);
    for (let i = 0; i < part.length; i++) rows[i]! -= part[i]!;
  }

  /** Adds images of what was added last until the space is full, or its own image. */
  grow(candidates: Rows): void {
    const p = this.columns;
    while (this.add(candidates) && this.size < this.#capacity) {
      const data = this.#images.slice(this.#newest * p, this.size * p);
      candidates = { data, count: this.size - this.#newest };
    }
  }

  /** The `count` best directions of the space (Rayleigh and Ritz), and their images. */
  best(count: number): Ritz {
    const [p, m] = [this.columns, this.size];
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
    this.size = directions.length / this.columns;
  }
}

/** Directions within a space that approximate eigenvectors. */
interface Ritz {
  values: Float64Array;
  directions: Float64Array;
  images: Float64Array;
}

/**
 * Makes rows orthogonal to those before them and of length 1.
 *
 * @returns How many are left, at the front: those in which something is left of the original length.
 */
function orthonormalize(
  rows: Float64Array,
  p: number,
  count: number,
  original: Float64Array,
): number {
  let kept = 0;
  for (let c = 0; c < count; c++) {
    const row = rows.subarray(c * p, (c + 1) * p);
    for (let at = 0; at < kept * p; at += p) {
      let product = 0;
      for (let j = 0; j < p; j++) product += row[j]! * rows[at + j]!;
      for (let j = 0; j < p; j++) row[j]! -= product * rows[at + j]!;
    }
    const length = norm(row);
    if (!(length > 1e-12 * original[c]!)) continue;
    for (let j = 0; j < p; j++) rows[kept * p + j] = row[j]! / length;
    original[kept++] = 1;
  }
  return kept;
}

function lengths(rows: Float64Array, p: number): Float64Array {
  return Float64Array.from(
    { length: rows.length / p },
    (_, c) => norm(rows.subarray(c * p, (c + 1) * p)),
  );
}

function norm(row: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < row.length; j++) sum += row[j]! * row[j]!;
  return Math.sqrt(sum);
}

/**
 * The eigenvectors of the scatter matrix with the largest eigenvalues, one per row.
 *
 * A space that holds every row is complete at once. Otherwise up to 5000 columns the matrix is
 * formed, in one pass over the values: what follows does not depend on how many rows there are, nor
 * the passes on how close eigenvalues lie. More columns are multiplied by both factors each time.
 */
export function leadingDirections(x: Centred, count: number): Float64Array {
  const p = x.columns;
  if (x.rows < p && x.rows <= DIRECT) {
    const space = new Space(x, x.rows);
    space.add(x.all());
    return leadingWithin(space, count, x.rows);
  }
  if (p > FORMED) return leadingOf(x, count, x.rows);
  if (p <= DIRECT) {
    const scatter = new Float64Array(p * p);
    x.gram(scatter);
    return symmetricEigen(scatter, p).vectors.slice(0, count * p);
  }
  const formed = new Formed(p, BLOCK);
  x.gram(formed.values);
  return leadingOf(formed, count, x.rows);
}

/**
 * A block Lanczos iteration with thick restarts (Wu and Simon 2000,
 * https://doi.org/10.1137/S0895479898334605): the space grows by images of its newest directions;
 * when it is full the best directions stay, and what their images have outside of it comes next,
 * until that is next to nothing.
 */
function leadingOf(matrix: Symmetric, count: number, rows: number): Float64Array {
  const p = matrix.columns;
  const smaller = Math.min(rows, p);
  const kept = Math.min(count + BLOCK, smaller);
  const space = new Space(matrix, Math.min(kept + Math.max(80, 2 * kept), smaller));
  space.grow(noise(p, BLOCK, 0));
  return leadingWithin(space, count, kept);
}

function leadingWithin(space: Space, count: number, kept: number): Float64Array {
  const p = space.columns;
  for (let i = 1; space.size < count; i++) space.add(noise(p, 1, i));
  for (let restart = 0;; restart++) {
    const ritz = space.best(Math.min(kept, space.size));
    const rest = outside(ritz, p);
    if (restart === RESTARTS || largest(rest, count, p) <= TOLERANCE * Math.abs(ritz.values[0]!)) {
      return ritz.directions.slice(0, count * p);
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
  return Math.max(...lengths(rows.subarray(0, count * p), p));
}

function noise(p: number, count: number, seed: number): Rows {
  const data = new Float64Array(count * p);
  fill("normal", data, foldedKey([0, 0], seed));
  return { data, count };
}
