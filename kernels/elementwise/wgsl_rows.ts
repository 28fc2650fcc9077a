/**
 * WGSL loops: passes over rows, each by one invocation or by a whole workgroup. Where nothing is
 * reduced, every element is a row.
 *
 * Sums are added up in single precision in a fixed order: blocks of what an invocation sees, these
 * blocks, then what invocations have, so that errors stay near those of a handful of additions
 * whatever compilers do to sums, and repeated runs give the same bits.
 *
 * @module
 */
import { sizeOf } from "../../src/shape.ts";
import { type Float, number, opaque, parameter } from "../functions/algebra.ts";
import { groupsFor, indent, type WgslKernel, WORKGROUP } from "../wgsl/kernel.ts";
import { type LoopSpec, type Pass, planPasses, type Reduction } from "./passes.ts";
import { extreme, toKind } from "./scalars.ts";
import { type LoopSpace, positionOf } from "./wgsl_space.ts";
import { LoopWriter } from "./wgsl_writer.ts";

/** What kernels are made for. */
export interface WgslOptions {
  /** Whether the processor plays the graphics card; `false` by default. */
  readonly isSoftware?: boolean;
  /** The most buffers of a kernel, as far as a loop can be done by several; any number by default. */
  readonly mostBuffers?: number;
}

/** Who works on a row. */
export interface RowTeam {
  /** Invocations of one workgroup, a power of two; 1 where each has a row of its own. */
  lanes: number;
  /** Parts of a row, each with results of its own; there must be columns for all lanes of each. */
  parts: number;
}

/**
 * Rows from some length on are worked on by whole workgroups, of some size at most; `busy` invocations
 * are enough to keep a device at work. Software adapters
 * run the invocations of a workgroup one after the other from barrier to barrier, so that workgroups
 * take longer there unless rows are (Mesa's llvmpipe: softmax of 64 columns 4 times as long).
 */
const WORKGROUPS = {
  hardware: { longRow: 64, mostLanes: 256, busy: 2 ** 16 },
  software: { longRow: 2048, mostLanes: 64, busy: 2 ** 10 },
} as const;

/** Work that makes up for a second kernel: elements in all, and for each invocation. */
const LEAST_SPLIT = 2 ** 14;
const LEAST_SPLIT_EACH = 64;

/** Elements that an invocation is to have at least. */
const LEAST_ELEMENTS = 16;

/** The most parts of a row: what is left to a second kernel. */
const MOST_PARTS = 1024;

/** Values that are added up one after the other before blocks of them are. */
const UNBLOCKED = 32;

/** Who works on rows: as many as find enough to do. */
export function teamFor(
  rows: number,
  { columns: extents, operands }: LoopSpace,
  { isSoftware = false }: WgslOptions = {},
): RowTeam {
  const { longRow, mostLanes, busy } = WORKGROUPS[isSoftware ? "software" : "hardware"];
  const isNear = (these: readonly number[], others: readonly number[]) =>
    these.at(-1) === 1 && (others.at(-1) ?? 0) > 1;
  // Columns lie apart where neighbouring rows are side by side.
  const isApart = operands.some(({ rows, columns }) => isNear(rows, columns)) &&
    !operands.some(({ rows, columns }) => isNear(columns, rows));
  const columns = sizeOf(extents);
  const lanes = isApart || columns < longRow
    ? 1
    : Math.min(mostLanes, 2 ** Math.floor(Math.log2(Math.max(64, columns / 4))));
  const isLittle = rows * columns < LEAST_SPLIT || columns < lanes * LEAST_SPLIT_EACH;
  const parts = isLittle ? 1 : Math.min(
    Math.floor(columns / (lanes * LEAST_ELEMENTS)),
    Math.floor(busy / (rows * lanes)),
    MOST_PARTS,
  );
  return { lanes, parts: Math.max(1, parts) };
}

/**
 * A kernel that goes over rows. Inputs are the operands, outputs the stores; what is stored once per
 * row lies at the number of the row, or, with several parts, at `row * parts + part`.
 */
export function emitRows(spec: LoopSpec, space: LoopSpace, team: RowTeam): WgslKernel {
  return new RowWriter(spec, space, team).write();
}

class RowWriter extends LoopWriter {
  readonly #space: LoopSpace;
  readonly #team: RowTeam;
  /** The first column of an invocation. */
  readonly #first: string;
  /** Functions over lanes, by name. */
  readonly #overLanes = new Map<string, string>();

  constructor(spec: LoopSpec, space: LoopSpace, team: RowTeam) {
    super(spec);
    this.#space = space;
    this.#team = team;
    this.#first = team.parts > 1 ? "first" : team.lanes > 1 ? "lane" : "0u";
  }

  write(): WgslKernel {
    const { lanes, parts } = this.#team;
    const rows = sizeOf(this.#space.rows);
    const loads = this.rowLoads().map((load) =>
      this.load(load, positionOf(this.#space.operands[load.index]!, this.#space))
    );
    const passes = planPasses(this.spec).map((pass) => this.#pass(pass));
    const { results } = this.#space;
    const place = results === undefined ? "row" : positionOf(results, this.#space);
    const at = parts > 1 ? `row * ${parts}u + part` : place;
    const stores = this.spec.stores
      .flatMap(({ moves }, i) => moves ? [] : [this.store(i, at)]).join("\n");
    const once = lanes > 1 && stores !== "" ? `if (lane == 0u) {\n${indent(stores)}\n}` : stores;
    return this.finish({
      groups: lanes > 1 ? rows * parts : groupsFor(rows * parts),
      workgroupSize: lanes > 1 ? lanes : WORKGROUP,
      declarations: [...this.#overLanes.values()].join("\n\n"),
      body: [...this.#place(rows), ...loads, ...passes, once].filter((x) => x !== "").join("\n"),
    });
  }

  /** Which row, and which part of it, the invocation works on. */
  #place(rows: number): string[] {
    const { lanes, parts } = this.#team;
    const isFull = lanes > 1 || rows * parts % WORKGROUP === 0;
    const bound = isFull ? [] : [`if (index >= ${rows * parts}u) { return; }`];
    if (parts === 1) return [...bound, `let row = ${lanes > 1 ? "group" : "index"};`];
    const [row, part, first] = lanes > 1
      ? [`group / ${parts}u`, `group % ${parts}u`, `part * ${lanes}u + lane`]
      : [`index % ${rows}u`, `index / ${rows}u`, "part"];
    return [...bound, `let row = ${row};`, `let part = ${part};`, `let first = ${first};`];
  }

  #pass(pass: Pass): string {
    const { before, reductions, stores } = pass;
    const lines = before.map((assignment) => this.assign(assignment));
    if (reductions.length + stores.length === 0) return lines.join("\n");
    const inside = this.#inside(pass);
    const sums = reductions.map((reduction) => ({
      ...reduction,
      kind: this.reducedKind(reduction.of),
      total: `${reduction.name}_so_far`,
      moves: [...pass.loads, ...pass.moving].some(({ name }) => name === reduction.of),
    }));
    lines.push(...sums.map((sum) => `var ${sum.total} = ${this.#start(sum)};`));
    lines.push(this.#loop(inside, sums));
    lines.push(...sums.map((sum) => {
      const total = this.#overTeam(sum);
      return `let ${this.define(sum.name, sum.kind)} = ${total};`;
    }));
    return lines.join("\n");
  }

  /** What is done at each column, without reductions. */
  #inside({ loads, moving, stores }: Pass): string[] {
    const { operands, output } = this.#space;
    const position = ({ from, index }: Pass["loads"][number]) =>
      positionOf(from === "operand" ? operands[index]! : output, this.#space);
    return [
      ...loads.map((load) => this.load(load, position(load))),
      ...moving.map((assignment) => this.assign(assignment)),
      ...stores.map(({ name, output: i }) => this.store(i, positionOf(output, this.#space), name)),
    ];
  }

  /** What an accumulator starts from; an extreme of numbers takes its first value as it is. */
  #start({ reduce, kind }: Accumulator): string {
    if (kind === "integer") {
      return reduce === "sum" ? "0i" : reduce === "max" ? "i32(-2147483648)" : "2147483647i";
    }
    if (reduce === "sum" || !this.#space.columns.includes(0)) return "0f";
    return this.print(number(reduce === "max" ? -Infinity : Infinity, "float32"), (text) => text);
  }

  #loop(inside: readonly string[], sums: readonly Accumulator[]): string {
    const columns = sizeOf(this.#space.columns);
    const stride = this.#team.lanes * this.#team.parts;
    const each = Math.ceil(columns / stride);
    const blocked = sums.filter(({ reduce, kind }) =>
      reduce === "sum" && kind === "float" && each > UNBLOCKED
    );
    const blockOf = ({ name }: Accumulator) => `${name}_block`;
    const body = [
      ...inside,
      ...sums.map((sum) => this.#accumulate(sum, blocked.includes(sum) ? blockOf(sum) : sum.total)),
    ];
    const loop = (name: string, start: string, end: string, step: number, body: string[]) =>
      `for (var ${name} = ${start}; ${name} < ${end}; ${name} += ${step}u) {
${indent(body.join("\n"))}
}`;
    if (blocked.length === 0) return loop("column", this.#first, `${columns}u`, stride, body);
    const block = stride * Math.ceil(Math.sqrt(each));
    return loop("start", this.#first, `${columns}u`, block, [
      ...blocked.map((sum) => `var ${blockOf(sum)} = 0f;`),
      `let end = min(start + ${block}u, ${columns}u);`,
      loop("column", "start", "end", stride, body),
      ...blocked.map((sum) => `${sum.total} += ${blockOf(sum)};`),
    ]);
  }

  #accumulate({ reduce, of, kind, moves }: Accumulator, total: string): string {
    const value = toKind(kind, this.valueOf(of), "float32");
    if (reduce !== "max" && reduce !== "min") {
      // Compilers multiply what is added up again and again, and what it is the product of.
      const isHidden = kind === "float" && !moves;
      const added = isHidden ? opaque(value as Float) : value;
      return this.print(added, (x) => `${total} += ${x};`);
    }
    return this.print(
      extreme(reduce, parameter(total, "float32", kind), value),
      (larger) =>
        kind === "integer"
          ? `${total} = ${larger};`
          : `${total} = select(${larger}, ${value.literal}, column == ${this.#first});`,
    );
  }

  /** What all lanes have together. */
  #overTeam({ reduce, kind, total }: Accumulator): string {
    const { lanes } = this.#team;
    if (lanes === 1) return total;
    const combine = (other: string) => {
      if (reduce !== "max" && reduce !== "min") return `total + ${other}`;
      const [x, y] = ["total", other].map((name) => parameter(name, "float32", kind));
      return this.print(extreme(reduce, x!, y!), (text) => text);
    };
    const type = kind === "float" ? "f32" : "i32";
    const name = `${reduce}_${type}_over_lanes`;
    this.#overLanes.set(name, overLanes(name, type, lanes, combine));
    return `${name}(lane, ${total})`;
  }
}

/**
 * A function that puts together what lanes have: first some stretches, then, by every lane, what
 * these amount to. It waits twice only, and may be called again at once: whoever is late reads
 * totals, which nobody writes before all have come to the next call's first barrier.
 */
function overLanes(
  name: string,
  type: "f32" | "i32",
  lanes: number,
  combine: (other: string) => string,
): string {
  const stretch = 2 ** Math.floor(Math.log2(lanes) / 2);
  const count = lanes / stretch;
  return `var<workgroup> ${name}_values: array<${type}, ${lanes}>;
var<workgroup> ${name}_totals: array<${type}, ${count}>;

// In the same order each time.
fn ${name}(lane: u32, value: ${type}) -> ${type} {
  ${name}_values[lane] = value;
  workgroupBarrier();
  if (lane < ${count}u) {
    var total = ${name}_values[lane];
    for (var i = lane + ${count}u; i < ${lanes}u; i += ${count}u) {
      total = ${combine(`${name}_values[i]`)};
    }
    ${name}_totals[lane] = total;
  }
  workgroupBarrier();
  var total = ${name}_totals[0];
  for (var i = 1u; i < ${count}u; i += 1u) {
    total = ${combine(`${name}_totals[i]`)};
  }
  return total;
}`;
}

/** A reduction, the kind in which it runs, and the variable that holds what it amounts to so far. */
interface Accumulator extends Reduction {
  kind: "float" | "integer";
  total: string;
  /** Whether there is another value at each column. */
  moves: boolean;
}
