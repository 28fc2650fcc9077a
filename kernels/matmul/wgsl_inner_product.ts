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
import type { Term } from "./reference.ts";

/** How a matrix lies in its buffer. */
export interface WgslMatrix {
  /** Elements from a row to the next. */
  readonly rowStride: number;
  /** Elements from a column to the next. */
  readonly columnStride: number;
  /** The position of the first value: a WGSL expression of `batch` and `result`, `u32` both. */
  readonly offset: string;
  /** Elements from the first term to another, by its number; else by the stride along that axis. */
  readonly along?: (term: string) => string;
}

/** What to compute. */
export interface InnerProductDraft {
  /** The name of the kernel. */
  readonly name: string;
  /** What is added up. */
  readonly term: Term;
  /** Rows of `a` and of the result. */
  readonly m: number;
  /** Columns of `a`, rows of `b`. */
  readonly k: number;
  /** Columns of `b` and of the result. */
  readonly n: number;
  /** How many results. */
  readonly batch: number;
  /** Into how many sums of equally many terms each is split. */
  readonly parts: number;
  /** The left matrix, the buffer `a`. */
  readonly a: WgslMatrix;
  /** The right matrix, the buffer `b`. */
  readonly b: WgslMatrix;
  /** The results, the buffer `out`: those of all parts, one behind the other, where there are several. */
  readonly out: WgslMatrix;
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

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function lines(count: number, line: (i: number) => string): string {
  return range(count).map(line).join("\n");
}

/** Unsigned integers wrap around, so that strides may go backwards. */
function scaled(factor: string, stride: number): string {
  return stride === 1 ? factor : `(${factor}) * ${stride >>> 0}u`;
}

/** Where a term is, from the first one on. */
function termAt(draft: InnerProductDraft, name: "a" | "b", term: string): string {
  const { along, rowStride, columnStride } = draft[name];
  return along?.(term) ?? scaled(term, name === "a" ? columnStride : rowStride);
}

/** Adds one term to a sum, `s`, that is a number or a vector. */
function accumulate(term: Term, s: string, x: string, y: string): string {
  return term === "product"
    ? `${s} = fma(${x}, ${y}, ${s});`
    : `{ let d = ${x} - ${y}; ${s} = fma(d, d, ${s}); }`;
}

/** Where a workgroup's results are: its number counts parts of results, and blocks of these. */
function locate({ m, n, k, parts }: InnerProductDraft, rows: number, columns: number): string {
  const bands = groupsFor(m, rows);
  const strips = groupsFor(n, columns);
  const depth = termsOfPart(k, parts);
  return `let result = group / ${bands * strips}u;
let batch = result / ${parts}u;
let begin = result % ${parts}u * ${depth}u;
let end = min(begin + ${depth}u, ${k}u);
let row = group / ${strips}u % ${bands}u * ${rows}u;
let column = group % ${strips}u * ${columns}u;`;
}

/** How many terms all parts but the last have: whole tiles. */
function termsOfPart(k: number, parts: number): number {
  return groupsFor(groupsFor(k, parts), DEPTH) * DEPTH;
}

function countGroups({ batch, parts, m, n }: InnerProductDraft, rows: number, columns: number) {
  return batch * parts * groupsFor(m, rows) * groupsFor(n, columns);
}

/** The most rows, and the most columns, of an invocation of the direct kernel. */
const DIRECT = 8;

/** Which results an invocation of the direct kernel has. */
interface DirectShape {
  /** Invocations of a workgroup. */
  lanes: number;
  /** How many rows each has, and how far they are apart. */
  rows: number;
  rowStep: number;
  /** How many columns each has, and how far they are apart. */
  columns: number;
  columnStep: number;
}

/** Neighbouring invocations share rows and have neighbouring columns, or the other way round. */
function directShape({ m, n, tiled }: InnerProductDraft): DirectShape {
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
  const { m, n, a, b } = draft;
  const shape = directShape(draft);
  const { lanes, rows, rowStep, columns, columnStep } = shape;
  const [height, width] = [rows * rowStep, columns * columnStep];
  const place = (start: string, i: number, step: number, extent: number) =>
    `min(${start} + ${i * step}u${step > 1 ? " + lane" : ""}, ${extent - 1}u)`;
  const aAt = (i: number) => scaled(place("row", i, rowStep, m), a.rowStride);
  const bAt = (j: number) => scaled(place("column", j, columnStep, n), b.columnStride);
  const body = `${locate(draft, height, width)}
${lines(rows, (i) => `let aAt${i} = ${a.offset} + ${aAt(i)};`)}
${lines(columns, (j) => `let bAt${j} = ${b.offset} + ${bAt(j)};`)}
${lines(rows, (i) => lines(columns, (j) => `var s${i}_${j} = 0.0;`))}
for (var p = begin; p < end; p++) {
${directStep(draft, shape)}
}
let y = row${rowStep > 1 ? " + lane" : ""};
let x = column${columnStep > 1 ? " + lane" : ""};
let start = ${draft.out.offset} + ${scaled("y", draft.out.rowStride)} + ${
    scaled("x", draft.out.columnStride)
  };
${
    lines(rows, (i) =>
      lines(columns, (j) => directStore(draft, i * rowStep, j * columnStep, i, j)))
  }`;
  const groups = countGroups(draft, height, width);
  return { groups, workgroupSize: lanes, body };
}

/** One term of all sums of an invocation. */
function directStep(draft: InnerProductDraft, { rows, columns }: DirectShape): string {
  return `let aTerm = ${termAt(draft, "a", "p")};
let bTerm = ${termAt(draft, "b", "p")};
${lines(rows, (i) => `let a${i} = a[aAt${i} + aTerm];`)}
${lines(columns, (j) => `let b${j} = b[bAt${j} + bTerm];`)}
${
    lines(rows, (i) =>
      lines(columns, (j) => accumulate(draft.term, `s${i}_${j}`, `a${i}`, `b${j}`)))
  }`;
}

function directStore(
  { m, n, out }: InnerProductDraft,
  down: number,
  right: number,
  i: number,
  j: number,
): string {
  const isInside = `y + ${down}u < ${m}u && x + ${right}u < ${n}u`;
  const at = down * out.rowStride + right * out.columnStride;
  return `if (${isInside}) { out[start + ${at}u] = s${i}_${j}; }`;
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
  const body = `${locate(draft, TILE, TILE)}
let aStart = ${draft.a.offset};
let bStart = ${draft.b.offset};
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
  const groups = countGroups(draft, TILE, TILE);
  return { groups, workgroupSize: TILED_LANES, declarations, body };
}

/**
 * Loads a tile of factors: `DEPTH` groups of the 64 values that meet one value each of the other
 * matrix. Neighbouring invocations read neighbours in memory; beyond the matrix there are zeros.
 */
function tiledLoad(draft: InnerProductDraft, name: "a" | "b"): string {
  const { m, k, n, a, b } = draft;
  const [across, extent, start] = name === "a"
    ? [a.rowStride, m, "row"]
    : [b.columnStride, n, "column"];
  // Four values of a vector are neighbours along the tile's side.
  const [vector, depth] = across === 1
    ? [`number % ${TILE / 4}u`, `number / ${TILE / 4}u`]
    : [`number / ${DEPTH}u`, `number % ${DEPTH}u`];
  const value = (i: number) =>
    `select(0.0, ${name}[${name}Start + min(${start} + 4u * vector + ${i}u, ${extent - 1}u) * ` +
    `${across >>> 0}u + termAt], ` +
    `at < ${k}u && ${start} + 4u * vector + ${i}u < ${extent}u)`;
  return `  for (var number = lane; number < ${DEPTH * TILE / 4}u; number += ${TILED_LANES}u) {
    let vector = ${vector};
    let depth = ${depth};
    let at = p + depth;
    let term = min(at, ${Math.max(k, 1) - 1}u);
    let termAt = ${termAt(draft, name, "term")};
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
  let to = ${out.offset} + (row + 4u * mine + ${i}u) * ${out.rowStride}u + ${across};
${lines(4, store)}
}`;
}
