/**
 * WGSL loops over few, long rows: kernels that work on parts of rows, and kernels that put together
 * what these amount to.
 *
 * @module
 */
import { sizeOf, stridesOf } from "../../src/shape.ts";
import { PlanDraft } from "../wgsl/kernel.ts";
import { namesIn } from "./expression.ts";
import {
  type LoopOperand,
  type LoopSpec,
  type Pass,
  planPasses,
  type Reduction,
} from "./passes.ts";
import { emitRows, type RowTeam, teamFor, type WgslOptions } from "./wgsl_rows.ts";
import { type LoopSpace, type LoopWalk, spaceOver } from "./wgsl_space.ts";
import { kindsOf } from "./wgsl_writer.ts";

/** A value that a kernel reads, and where from. */
interface Source extends LoopOperand {
  buffer: number;
  walk: LoopWalk;
}

/** A value that a kernel writes, and where to. */
type Target = Omit<Source, "walk">;

/** The kernels of a loop whose rows are worked on in parts. */
export class SplitPlan extends PlanDraft {
  readonly #spec: LoopSpec;
  readonly #space: LoopSpace;
  readonly #team: RowTeam;
  readonly #options: WgslOptions;
  readonly #sources: Source[];
  readonly #outputs: readonly Target[];

  constructor(spec: LoopSpec, space: LoopSpace, team: RowTeam, options: WgslOptions) {
    const { operands, stores } = spec;
    super(operands.length + stores.length);
    this.#spec = spec;
    this.#space = space;
    this.#team = team;
    this.#options = options;
    this.#sources = operands.map((x, i) => ({ ...x, buffer: i, walk: space.operands[i]! }));
    this.#outputs = stores.map((x, i) => ({ ...x, buffer: operands.length + i }));
    for (const pass of planPasses(spec)) this.#addPass(pass);
    this.#addRowStores();
  }

  /** One way along the rows: some outputs, and reductions. */
  #addPass({ stores, reductions }: Pass): void {
    // What a pass keeps for later ones is computed anew: a kernel must not write what it reads.
    const outputs = stores.flatMap(({ name, output }) => {
      const own = this.#outputs[output]!;
      return own.name === name ? [own] : [];
    });
    if (outputs.length + reductions.length === 0) return;
    const kindOf = kindsOf(this.#spec);
    const words = sizeOf(this.#space.rows) * this.#team.parts;
    const partial = reductions.map(({ name, of }): Target => ({
      name,
      dtype: kindOf(of) === "float" ? "float32" : "int32",
      moves: false,
      buffer: this.temporary(words),
    }));
    this.#make([...outputs, ...partial], reductions, this.#space, this.#team);
    const most = Math.floor((this.#options.mostBuffers ?? Infinity) / 2);
    for (let i = 0; i < reductions.length; i += most) {
      this.#combine(reductions.slice(i, i + most), partial.slice(i, i + most));
    }
  }

  /** Outputs that have one value per row and are no reductions. */
  #addRowStores(): void {
    const written = new Set(this.kernels.flatMap(({ buffers }) => buffers));
    const left = this.#outputs.filter(({ buffer }) => !written.has(buffer));
    const team = { lanes: 1, parts: 1 };
    if (left.length > 0) this.#make(left, [], { ...this.#space, columns: [] }, team);
  }

  /** What rows amount to, from what their parts do. */
  #combine(reductions: readonly Reduction[], partial: readonly Target[]): void {
    const rows = sizeOf(this.#space.rows);
    const { parts } = this.#team;
    const walk = { offset: 0, rows: [parts], columns: [1] };
    const own = partial.map((x) => ({ ...x, name: `${x.name}_part1`, moves: true, walk }));
    const results = partial.map((target) => this.#resultOf(target));
    const body = reductions.map(({ name, reduce }, i) => ({ name, reduce, of: own[i]!.name }));
    const space = { ...spaceOver([rows, parts], [1]), operands: partial.map(() => walk) };
    const team = { ...teamFor(rows, space, this.#options), parts: 1 };
    this.#add(own, body, results, space, team);
    const columns = this.#space.columns.map(() => 0);
    const perRow = { offset: 0, rows: stridesOf(this.#space.rows), columns };
    for (const result of results) this.#sources.push({ ...result, walk: perRow });
  }

  /** The output that a reduction is, or else a temporary. */
  #resultOf({ name, dtype }: Target): Target {
    const isSame = (own: Target) => !own.moves && own.name === name && own.dtype === dtype;
    return this.#outputs.find(isSame) ??
      { name, dtype, moves: false, buffer: this.temporary(sizeOf(this.#space.rows)) };
  }

  /** A kernel of what it takes to have the targets. */
  #make(
    targets: readonly Target[],
    reductions: readonly Reduction[],
    space: LoopSpace,
    team: RowTeam,
  ): void {
    const reduced = new Set(reductions.map(({ name }) => name));
    const made = targets.map(({ name }) => name).filter((name) => !reduced.has(name));
    const assignments = this.#spec.body.flatMap((x) => "reduce" in x ? [] : [x]);
    const needed = new Set<string>();
    const visit = (name: string): void => {
      if (needed.has(name)) return;
      needed.add(name);
      const assignment = assignments.find((own) => own.name === name);
      if (assignment !== undefined) namesIn(assignment.expression).forEach(visit);
      const { lookup } = this.#sources.find((source) => source.name === name) ?? {};
      if (lookup !== undefined) visit(lookup.positions);
    };
    [...made, ...reductions.map(({ of }) => of)].forEach(visit);
    const isNeeded = ({ name }: { name: string }) => needed.has(name);
    const body = [...assignments.filter(isNeeded), ...reductions];
    this.#add(this.#sources.filter(isNeeded), body, targets, space, team);
  }

  #add(
    sources: readonly Source[],
    body: LoopSpec["body"],
    stores: readonly Target[],
    space: LoopSpace,
    team: RowTeam,
  ): void {
    const spec: LoopSpec = { float: "float32", operands: sources, body, stores };
    const kernel = emitRows(spec, { ...space, operands: sources.map(({ walk }) => walk) }, team);
    const buffersOf = (values: readonly { buffer: number }[]) => values.map(({ buffer }) => buffer);
    this.add(kernel, buffersOf(sources), buffersOf(stores));
  }
}
