/**
 * `out[i, j] = Σ_k term(a[i, k], b[k, j])` in WGSL, in float32 and in the order of k.
 *
 * Two kernels: one whose invocations hold 8×8 sums each and read both matrices from memory, which
 * is what adapters in software run fastest, and one whose workgroups share tiles of 64×64, which is
 * what GPUs want.
 *
 * @module
 */
import { createKernel, groupsFor, type KernelDraft, type WgslKernel } from "../wgsl/kernel.ts";
import type { ProductLayout, Term } from "./reference.ts";

/** How a matrix of factors lies in its buffer. */
export interface WgslFactor {
  /** The position of the first value: a WGSL expression of `batch`, `u32`. */
  readonly start: string;
  /** Elements from one row of `a` to the next, from one column of `b`. */
  readonly side: number;
  /** Elements from the first term to another, by its number. */
  readonly along: (term: string) => string;
}

/** What to compute. */
export interface InnerProductDraft extends Pick<ProductLayout, "m" | "k" | "n"> {
  /** The name of the kernel. */
  readonly name: string;
  /** What is added up. */
  readonly term: Term;
  /** How many results. */
  readonly batch: number;
  /** Into how many sums of equally many terms each is split. */
  readonly parts: number;
  /** The left matrix, the buffer `a`. */
  readonly a: WgslFactor;
  /** The right matrix, the buffer `b`. */
  readonly b: WgslFactor;
  /**
   * The results, the buffer `out`: those of all parts, one behind the other, where there are several.
   * The position of the first is a WGSL expression of `batch` and `result`.
   */
  readonly out: { start: string; rowStride: number; columnStride: number };
  /** Whether workgroups share tiles: where workgroup memory is faster than memory. */
  readonly tiled: boolean;
}

/** Results with fewer rows or columns are not worth a tile. */
const NARROW = 16;

/** The kernel of a sum of terms. Inputs: a, b; output: the results (batch, parts, m, n). */
export function innerProductKernel(draft: InnerProductDraft): WgslKernel {
  const isTiled = draft.tiled && Math.min(draft.m, draft.n) > NARROW;
  return createKernel({
    name: `${draft.name} ${draft.m}x${draft.k}x${draft.n}${isTiled ? " tiled" : ""}`,
    inputs: [{ name: "a", type: "f32" }, { name: "b", type: "f32" }],
    outputs: [{ name: "out", type: "f32" }],
    ...isTiled ? tiledParts(draft) : directParts(draft),
  });
}

type Parts = Pick<KernelDraft, "groups" | "workgroupSize" | "declarations" | "body">;

function lines(count: number, line: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => line(i)).join("\n");
}

/** Unsigned integers wrap around, so that strides may go backwards. */
function scaled(factor: string, stride: number): string {
  return stride === 1 ? factor : `(${factor}) * ${stride >>> 0}u`;
}

/** Adds one term to a sum, `s`, that is a number or a vector. */
function accumulate(term: Term, s: string, x: string, y: string): string {
  return term === "product"
    ? `${s} = fma(${x}, ${y}, ${s});`
    : `{ let d = ${x} - ${y}; ${s} = fma(d, d, ${s}); }`;
}

/** How many workgroups there are, each with some rows and columns of a part, and where these are. */
function locate(
  { batch, m, n, k, parts }: InnerProductDraft,
  rows: number,
  columns: number,
): { groups: number; start: string } {
  const [bands, strips] = [groupsFor(m, rows), groupsFor(n, columns)];
  // All parts but the last have whole tiles.
  const depth = groupsFor(groupsFor(k, parts), DEPTH) * DEPTH;
  const start = `let result = group / ${bands * strips}u;
let batch = result / ${parts}u;
let begin = result % ${parts}u * ${depth}u;
let end = min(begin + ${depth}u, ${k}u);
let row = group / ${strips}u % ${bands}u * ${rows}u;
let column = group % ${strips}u * ${columns}u;`;
  return { groups: batch * parts * bands * strips, start };
}

/** The most rows, and the most columns, of an invocation of the direct kernel. */
const DIRECT = 8;

/**
 * Which results an invocation of the direct kernel has: rows and columns, and how far these are apart.
 * Neighbouring invocations share rows and have neighbouring columns, or the other way round.
 */
function directShape({ m, n, tiled }: InnerProductDraft) {
  // Eight numbers are a vector of a processor; GPUs work on 32 at a time, and want many of these.
  const [lanes, blocks] = tiled ? [32, 32] : [8, 1];
  const few = (extent: number) => groupsFor(extent, groupsFor(extent, DIRECT));
  const many = (extent: number) => Math.min(DIRECT, groupsFor(extent, lanes * blocks));
  return n < DIRECT * lanes && m > n
    ? { lanes, rows: many(m), rowStep: lanes, columns: few(n), columnStep: 1 }
    : { lanes, rows: few(m), rowStep: 1, columns: many(n), columnStep: lanes };
}

/** Each invocation: up to eight rows and eight columns, read from memory. */
function directParts(draft: InnerProductDraft): Parts {
  const { m, n, a, b, out, term } = draft;
  const { lanes, rows, rowStep, columns, columnStep } = directShape(draft);
  const { groups, start } = locate(draft, rows * rowStep, columns * columnStep);
  const each = (line: (i: number, j: number) => string) =>
    lines(rows, (i) => lines(columns, (j) => line(i, j)));
  const [y, x] = [`row${rowStep > 1 ? " + lane" : ""}`, `column${columnStep > 1 ? " + lane" : ""}`];
  const at = (place: string, step: number, extent: number) =>
    `min(${place} + ${step}u, ${extent - 1}u)`;
  const body = `${start}
let y = ${y};
let x = ${x};
${lines(rows, (i) => `let aAt${i} = ${a.start} + ${scaled(at("y", i * rowStep, m), a.side)};`)}
${
    lines(columns, (j) =>
      `let bAt${j} = ${b.start} + ${scaled(at("x", j * columnStep, n), b.side)};`)
  }
${each((i, j) => `var s${i}_${j} = 0.0;`)}
for (var p = begin; p < end; p++) {
let aTerm = ${a.along("p")};
let bTerm = ${b.along("p")};
${lines(rows, (i) => `let a${i} = a[aAt${i} + aTerm];`)}
${lines(columns, (j) => `let b${j} = b[bAt${j} + bTerm];`)}
${each((i, j) => accumulate(term, `s${i}_${j}`, `a${i}`, `b${j}`))}
}
let start = ${out.start} + ${scaled("y", out.rowStride)} + ${scaled("x", out.columnStride)};
${
    each((i, j) => {
      const [down, right] = [i * rowStep, j * columnStep];
      return `if (y + ${down}u < ${m}u && x + ${right}u < ${n}u) { out[start + ${
        down * out.rowStride + right * out.columnStride
      }u] = s${i}_${j}; }`;
    })
  }`;
  return { groups, workgroupSize: lanes, body };
}

/** Rows and columns of a workgroup's tile of the result. */
const TILE = 64;

/** Terms of which a workgroup holds the factors at a time. */
const DEPTH = 16;

/** Vectors from one term's factors to the next's: one more than there are, to spread over banks. */
const PITCH = TILE / 4 + 1;

/** Rows of an invocation of the tiled kernel, and vectors of four columns: 8×4 sums. */
const ROWS = 8;

/** Invocations of a workgroup of the tiled kernel: 16 along a row, 8 along a column. */
const TILED_LANES = TILE / ROWS * TILE / 4;

/** Each workgroup: a tile, whose factors its invocations load together. */
function tiledParts(draft: InnerProductDraft): Parts {
  const { term } = draft;
  const declarations = `var<workgroup> aTile: array<vec4f, ${DEPTH * PITCH}>;
var<workgroup> bTile: array<vec4f, ${DEPTH * PITCH}>;`;
  const { groups, start } = locate(draft, TILE, TILE);
  const body = `${start}
let aStart = ${draft.a.start};
let bStart = ${draft.b.start};
let mine = lane / 16u * ${ROWS / 4}u;
let side = lane % 16u;
${lines(ROWS, (i) => `var s${i} = vec4f();`)}
for (var p = begin; p < end; p += ${DEPTH}u) {
${tiledLoad(draft, "a")}
${tiledLoad(draft, "b")}
  workgroupBarrier();
  for (var q = 0u; q < ${DEPTH * PITCH}u; q += ${PITCH}u) {
    let y = bTile[q + side];
${lines(ROWS / 4, (v) => `    let x${v} = aTile[q + mine + ${v}u];`)}
${lines(ROWS, (i) => `    ${accumulate(term, `s${i}`, `vec4f(x${i >> 2}[${i & 3}])`, "y")}`)}
  }
  workgroupBarrier();
}
${lines(ROWS, (i) => tiledStore(draft, i))}`;
  return { groups, workgroupSize: TILED_LANES, declarations, body };
}

/**
 * Loads a tile of factors: `DEPTH` groups of the 64 values that meet one value each of the other
 * matrix. Neighbouring invocations read neighbours in memory; beyond the matrix there are zeros.
 */
function tiledLoad(draft: InnerProductDraft, name: "a" | "b"): string {
  const { side, along } = draft[name];
  const { m, k, n } = draft;
  const [extent, start] = name === "a" ? [m, "row"] : [n, "column"];
  // Four values of a vector are neighbours along the tile's side.
  const [vector, depth] = side === 1
    ? [`number % ${TILE / 4}u`, `number / ${TILE / 4}u`]
    : [`number / ${DEPTH}u`, `number % ${DEPTH}u`];
  const value = (i: number) =>
    `select(0.0, ${name}[${name}Start + min(${start} + 4u * vector + ${i}u, ${extent - 1}u) * ` +
    `${side >>> 0}u + termAt], ` +
    `at < ${k}u && ${start} + 4u * vector + ${i}u < ${extent}u)`;
  return `  for (var number = lane; number < ${DEPTH * TILE / 4}u; number += ${TILED_LANES}u) {
    let vector = ${vector};
    let depth = ${depth};
    let at = p + depth;
    let term = min(at, ${Math.max(k, 1) - 1}u);
    let termAt = ${along("term")};
    ${name}Tile[depth * ${PITCH}u + vector] = vec4f(
${lines(4, (i) => `      ${value(i)},`)}
    );
  }`;
}

/** Stores the four sums of one row of an invocation. */
function tiledStore({ m, n, out }: InnerProductDraft, i: number): string {
  const across = scaled(`column + 4u * side`, out.columnStride);
  const store = (j: number) =>
    `  if (column + 4u * side + ${j}u < ${n}u) { out[to + ${
      j * out.columnStride
    }u] = s${i}[${j}]; }`;
  return `if (row + 4u * mine + ${i}u < ${m}u) {
  let to = ${out.start} + (row + 4u * mine + ${i}u) * ${out.rowStride}u + ${across};
${lines(4, store)}
}`;
}
