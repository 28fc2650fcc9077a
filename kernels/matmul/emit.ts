/**
 * A blocked inner product in WebAssembly: `out[i, j] = Σ_k term(a[i, k], b[k, j])`.
 *
 * Blocks of both operands are packed into panels, so that the innermost loop reads memory in order
 * whatever the strides: A·B, Aᵀ·B and A·Bᵀ are one kernel, and nothing is ever transposed. The
 * innermost loop keeps a tile of the output in registers (Goto and van de Geijn, 2008).
 *
 * @module
 */
import type { Precision } from "../functions/algebra.ts";
import { type CodeBuilder, integers, type Parameters, type WasmFunction } from "../wasm/code.ts";
import { ModuleBuilder } from "../wasm/module.ts";
import { i32, type Local, select, type Value } from "../wasm/value.ts";
import { f32x4, f64x2, i8x16, v128 } from "../wasm/simd.ts";
import { emitTranspose, type TiledBytes, tiledRows } from "../layout/tiles.ts";
import type { Term } from "./reference.ts";
import { addPack, minimum, type Pack } from "./pack.ts";

/** What kind of kernel. */
export interface KernelOptions {
  /** What a pair of numbers adds to a sum. */
  term: Term;
  /** The type of the elements, and of the sums. */
  dtype: Precision;
  /** Whether products and sums are one instruction, rounded once or twice as the machine likes. */
  relaxed: boolean;
  /** Rows of the tile that is kept in registers. */
  tileRows: number;
}

/** A kernel with the extents of its blocks, in elements. */
export interface BlockShape extends KernelOptions {
  /** Bytes of an element. */
  bytes: TiledBytes;
  /** Columns of that tile. */
  tileColumns: number;
  /** Rows of `a` that are packed at a time: they stay in the second-level cache. */
  rows: number;
  /** Steps of the sum between two visits of the output: a panel of `b` stays in the first level. */
  depth: number;
  /** Columns of `b` that are packed at a time: they stay in the third level. */
  columns: number;
}

/** Steps of the sum that are written out in the innermost loop. */
export const UNROLL = 4;

/** Rows of the tiles of `m` rows: as many as leave few of the last tile without use. */
export function tileRowsFor(
  m: number,
  { term, relaxed }: Pick<KernelOptions, "term" | "relaxed">,
): number {
  const choices = relaxed && term === "product" ? [5, 4, 3, 2, 1] : [3, 2, 1];
  const used = (rows: number) => Math.ceil(m / rows) * rows;
  const least = Math.min(...choices.map(used));
  return choices.find((rows) => used(rows) <= 1.03 * least)!;
}

/**
 * The blocks of a kernel. Engines keep one of the sixteen vector registers of x86 for themselves:
 * fifteen hold the tile, a row of `b`, four numbers of `a`, and what is made of them.
 */
export function blockShape(options: KernelOptions): BlockShape {
  const { term, dtype, relaxed, tileRows } = options;
  const bytes = dtype === "float32" ? 4 : 8;
  const free = relaxed && term === "product" ? 13 : 12;
  const vectors = Math.floor(free / (tileRows + 1));
  const tileColumns = vectors * 16 / bytes;
  const below = (limit: number, step: number) => limit - limit % step;
  return {
    ...options,
    bytes,
    tileColumns,
    // Whole tiles, and whole strips of those that a symmetric product is mirrored by.
    rows: (tileRows === 5 ? 320 : 384) / bytes,
    depth: 256,
    columns: below(8192 / bytes, tileColumns),
  };
}

/** The bytes of a module that exports the kernel as `run` and works on the memory `env.memory`. */
export function emitKernel(options: KernelOptions): Uint8Array<ArrayBuffer> {
  // Engines that check addresses need one comparison less where there is at least a page.
  const module = new ModuleBuilder({ from: "import", pages: 1 });
  module.exportFunction("run", addKernel(module, options));
  return module.encode();
}

/** The innermost loop: one tile of the output from a panel of `a` and a panel of `b`. */
function addTile(module: ModuleBuilder, shape: BlockShape) {
  const { bytes, tileRows, tileColumns } = shape;
  const lanes = shape.dtype === "float32" ? f32x4 : f64x2;
  const parameters = integers("out", "stride", "a", "b", "depth", "add");
  return module.addFunction(parameters, (code, { out, stride, a, b, depth, add }) => {
    const vectors = () =>
      Array.from({ length: tileColumns * bytes / 16 }, () => code.local("v128"));
    const sums = Array.from({ length: tileRows }, vectors);
    const right = vectors();
    const readLeft = leftReader(code, a, shape);
    const addTerm = termAdder(code, shape);
    const steps = () => {
      for (let u = 0; u < UNROLL; u++) {
        right.forEach((y, v) => code.set(y, v128.load(b, u * tileColumns * bytes + 16 * v)));
        sums.forEach((row, i) => {
          const left = readLeft(u * tileRows + i);
          row.forEach((sum, v) => addTerm(sum, left, right[v]!));
        });
      }
      code.increase(a, UNROLL * tileRows * bytes);
      code.increase(b, UNROLL * tileColumns * bytes);
      code.increase(depth, -UNROLL);
    };
    code.if(i32.gtS(depth, 0), () => code.repeat(steps, i32.gtS(depth, 0)));
    const write = (value: (sum: Value<"v128">, offset: number) => Value<"v128">) => {
      sums.forEach((row, i) => {
        if (i > 0) code.increase(out, stride);
        row.forEach((sum, v) => code.store("v128", out, value(sum, 16 * v), 16 * v));
      });
    };
    code.if(
      add,
      () => write((sum, offset) => lanes.add(v128.load(out, offset), sum)),
      () => write((sum) => sum),
    );
  });
}

/**
 * Gives the n-th number of a panel in all lanes. Reading a vector and spreading its lanes is faster
 * than reading every number into all lanes, as engines check each address, except where the vector
 * units have no time for it: differences that are squared and added by separate instructions.
 */
function leftReader(
  code: CodeBuilder,
  a: Value<"i32">,
  { term, dtype, relaxed, bytes }: BlockShape,
): (index: number) => Value<"v128"> {
  const lanes = dtype === "float32" ? f32x4 : f64x2;
  const left = code.local("v128");
  const several = code.local("v128");
  return (index) => {
    const at = index * bytes;
    if (term === "squaredDifference" && !relaxed) code.set(left, lanes.loadSplat(a, at));
    else {
      const first = at % 16;
      if (first === 0) code.set(several, v128.load(a, at));
      const spread = Array.from({ length: 16 }, (_, i) => first + i % bytes);
      code.set(left, i8x16.shuffle(several, several, spread));
    }
    return left;
  };
}

/** Writes `sum += term(x, y)` for all lanes. */
function termAdder(
  code: CodeBuilder,
  { term, dtype, relaxed }: KernelOptions,
): (sum: Local<"v128">, x: Value<"v128">, y: Value<"v128">) => void {
  const lanes = dtype === "float32" ? f32x4 : f64x2;
  const addProduct = (sum: Local<"v128">, x: Value<"v128">, y: Value<"v128">) =>
    code.set(sum, relaxed ? lanes.relaxedMadd(x, y, sum) : lanes.add(sum, lanes.mul(x, y)));
  if (term === "product") return addProduct;
  const difference = code.local("v128");
  return (sum, x, y) => {
    code.set(difference, lanes.sub(x, y));
    addProduct(sum, difference, difference);
  };
}

/** Copies `rows` rows of `width` bytes between two places with strides. */
function addCopyRows(module: ModuleBuilder) {
  const parameters = integers("to", "toStride", "from", "fromStride", "rows", "width");
  return module.addFunction(parameters, (code, { to, toStride, from, fromStride, ...p }) => {
    code.for(p.rows, 1, () => {
      code.copy(to, from, p.width);
      code.increase(to, toStride);
      code.increase(from, fromStride);
    });
  });
}

/** A block of the output from packed panels; tiles at the border are made in `spare`. */
function addPanels(module: ModuleBuilder, shape: BlockShape) {
  const { bytes, tileRows, tileColumns } = shape;
  const [tile, copyRows] = [addTile(module, shape), addCopyRows(module)];
  const spareStride = i32.const(tileColumns * bytes);
  const names = ["out", "stride", "a", "b", "spare", "rows", "columns", "depth", "add"] as const;
  return module.addFunction(integers(...names), (code, p) => {
    const { stride, b, spare, depth, add } = p;
    code.for(p.columns, tileColumns, (column) => {
      const out = code.let(i32.add(p.out, i32.mul(column, bytes)));
      const a = code.let(p.a);
      const columns = code.let(minimum(code, i32.sub(p.columns, column), tileColumns));
      const width = i32.mul(columns, bytes);
      code.for(p.rows, tileRows, (row) => {
        const rows = code.let(minimum(code, i32.sub(p.rows, row), tileRows));
        const whole = i32.eq(i32.add(rows, columns), tileRows + tileColumns);
        code.if(whole, () => code.call(tile, { out, stride, a, b, depth, add }), () => {
          const output = { to: out, toStride: stride, from: spare, fromStride: spareStride };
          const input = { to: spare, toStride: spareStride, from: out, fromStride: stride };
          code.if(add, () => code.call(copyRows, { ...input, rows, width }));
          code.call(tile, { out: spare, stride: spareStride, a, b, depth, add });
          code.call(copyRows, { ...output, rows, width });
        });
        code.increase(out, i32.mul(stride, tileRows));
        code.increase(a, i32.mul(depth, tileRows * bytes));
      });
      code.increase(b, i32.mul(depth, tileColumns * bytes));
    });
  });
}

const RUN_PARAMETERS = integers(
  ...["out", "outRowStride", "a", "aRowStride", "aColumnStride", "b", "bRowStride"] as const,
  ...["bColumnStride", "m", "k", "n", "scratch", "add", "symmetric"] as const,
  ...["count", "outStep", "aStep", "bStep"] as const,
);

/**
 * Adds the kernel to a module: products of `count` pairs of matrices, elements apart; results in one
 * place are added up.
 */
export function addKernel(
  module: ModuleBuilder,
  options: KernelOptions,
): WasmFunction<Parameters, null> {
  const shape = blockShape(options);
  const [run, { bytes }] = [addBlocks(module, shape), shape];
  return module.addFunction(RUN_PARAMETERS, (code, p) => {
    const count = code.let(select(i32.const(1), p.count, p.outStep));
    code.for(select(p.count, i32.const(1), p.outStep), 1, () => {
      code.call(run, { ...p, count });
      code.increase(p.out, i32.mul(p.outStep, bytes));
      code.increase(p.a, i32.mul(p.aStep, bytes));
      code.increase(p.b, i32.mul(p.bStep, bytes));
    });
  });
}

/**
 * The sum of `count` products, block by block: short ones side by side, but in double precision,
 * whose sums are rounded term by term, as the reference has them. Of a symmetric one, all blocks that
 * touch the diagonal or lie above it are computed, and mirrored.
 */
function addBlocks(module: ModuleBuilder, shape: BlockShape) {
  const { bytes } = shape;
  const together = shape.dtype === "float32" ? shape.depth : 0;
  const panels = addPanels(module, shape);
  const [packRows, packColumns] = [shape.tileRows, shape.tileColumns].map((width) =>
    addPack(module, bytes, width, UNROLL)
  ) as [Pack, Pack];
  const transpose = emitTranspose(module, bytes);
  return module.addFunction(RUN_PARAMETERS, (code, p) => {
    const inBytes = (elements: Value<"i32">) => code.let(i32.mul(elements, bytes));
    const stride = inBytes(p.outRowStride);
    const [aRow, aColumn] = [inBytes(p.aRowStride), inBytes(p.aColumnStride)];
    const [bRow, bColumn] = [inBytes(p.bRowStride), inBytes(p.bColumnStride)];
    const [aStep, bStep] = [inBytes(p.aStep), inBytes(p.bStep)];
    const at = (base: Value<"i32">, i: Value<"i32">, di: Value<"i32">, ...more: Value<"i32">[]) =>
      more.reduce((sum, x) => i32.add(sum, x), i32.add(base, i32.mul(i, di)));
    const spare = p.scratch;
    const long = code.let(i32.add(roundUp(p.k), i32.eqz(p.k)));
    const limit = (x: Value<"i32">) => minimum(code, x, shape.depth);
    const packedDepth = code.let(limit(i32.mul(limit(long), limit(p.count))));
    // How many products fit side by side: one where not even that does.
    const fitting = i32.divS(i32.const(together), long);
    const most = code.let(i32.add(fitting, i32.ltS(i32.const(together), long)));
    const a = code.let(i32.add(spare, shape.tileRows * shape.tileColumns * bytes));
    const b = code.let(i32.add(a, i32.mul(packedDepth, shape.rows * bytes)));
    code.for(p.n, shape.columns, (column) => {
      const columns = code.let(minimum(code, i32.sub(p.n, column), shape.columns));
      const start = code.let(i32.const(0));
      const first = code.let(i32.const(0));
      // Once even for k = 0, so that the sums of nothing are written.
      code.repeat(() => {
        const depth = code.let(minimum(code, i32.sub(p.k, start), shape.depth));
        const rest = code.let(i32.sub(p.count, first));
        const terms = code.let(select(rest, most, i32.ltS(rest, most)));
        const padded = code.let(roundUp(depth));
        const whole = code.let(i32.mul(padded, terms));
        const others = code.let(i32.sub(whole, padded));
        const add = i32.or(p.add, i32.gtS(i32.or(start, first), 0));
        /** Lanes of all terms, panels of each behind those of another. */
        const packTerms = (
          pack: Pack,
          width: number,
          to: Value<"i32">,
          from: Value<"i32">,
          step: Value<"i32">,
          lanes: Record<"laneStride" | "depthStride" | "lanes", Value<"i32">>,
        ) =>
          code.for(terms, 1, (term) =>
            code.call(pack, {
              ...lanes,
              to: i32.add(to, i32.mul(i32.mul(term, padded), width * bytes)),
              from: i32.add(from, i32.mul(i32.add(first, term), step)),
              depth,
              gap: i32.mul(others, width * bytes),
            }));
        const right = at(p.b, start, bRow, i32.mul(column, bColumn));
        const inColumns = { laneStride: bColumn, depthStride: bRow, lanes: columns };
        packTerms(packColumns, shape.tileColumns, b, right, bStep, inColumns);
        const last = i32.add(column, columns);
        const height = code.let(select(select(p.m, last, i32.ltS(p.m, last)), p.m, p.symmetric));
        code.for(height, shape.rows, (row) => {
          const rows = code.let(minimum(code, i32.sub(p.m, row), shape.rows));
          // Tiles to the left of the rows' own columns are below the diagonal.
          const tiles = i32.divS(i32.sub(row, column), shape.tileColumns);
          const below = i32.and(p.symmetric, i32.gtS(row, column));
          const skipped = code.let(i32.mul(select(tiles, i32.const(0), below), shape.tileColumns));
          const left = at(p.a, row, aRow, i32.mul(start, aColumn));
          const inRows = { laneStride: aRow, depthStride: aColumn, lanes: rows };
          packTerms(packRows, shape.tileRows, a, left, aStep, inRows);
          code.call(panels, {
            out: at(p.out, row, stride, i32.mul(i32.add(column, skipped), bytes)),
            stride,
            a,
            b: i32.add(b, i32.mul(i32.mul(skipped, whole), bytes)),
            spare,
            rows,
            columns: i32.sub(columns, skipped),
            depth: whole,
            add,
          });
        });
        code.increase(start, shape.depth);
        code.if(i32.geS(start, p.k), () => {
          code.set(start, i32.const(0));
          code.increase(first, terms);
        });
      }, i32.ltS(first, p.count));
    });
    code.if(p.symmetric, () => {
      code.for(p.m, tiledRows(bytes), (row) => {
        const [to, from] = [at(p.out, row, stride), i32.add(p.out, i32.mul(row, bytes))];
        const rows = i32.sub(p.m, row);
        code.call(transpose, { to, pitch: stride, from, step: stride, rows, columns: row });
      });
    });
  });
}

/** The next multiple of the steps that are done at a time. */
function roundUp(depth: Value<"i32">): Value<"i32"> {
  return i32.and(i32.add(depth, UNROLL - 1), -UNROLL);
}
