/**
 * WGSL loops over few, long rows: kernels that work on parts of rows, and kernels that put together
 * what these amount to.
 *
 * @module
 */
import { sizeOf, stridesOf } from "../../src/shape.ts";
import type { WgslPlan } from "../wgsl/kernel.ts";
import { namesIn } from "./expression.ts";
import { type Assignment, type LoopSpec, type LoopStore, planPasses } from "./passes.ts";
import type { LoopOperand, Reduction } from "./passes.ts";
import { emitElements } from "./wgsl_elements.ts";
import { emitRows, type RowTeam, teamFor, type WgslOptions } from "./wgsl_rows.ts";
import type { LoopSpace, LoopWalk } from "./wgsl_space.ts";
import { type BoundKernel, kindsOf } from "./wgsl_writer.ts";

/** A value that a kernel reads, and where from. */
interface Source extends LoopOperand {
  buffer: number;
  walk: LoopWalk;
}

/** A value that a kernel writes, and where to. */
interface Target extends LoopStore {
  buffer: number;
}

/** The kernels of a loop whose rows are worked on in parts. */
export function planSplitRows(
  spec: LoopSpec,
  space: LoopSpace,
  team: RowTeam,
  options: WgslOptions,
): WgslPlan {
  const splitter = new Splitter(spec, space, team, options);
  for (const { stores, reductions } of planPasses(spec)) {
    // What a pass keeps for later ones is computed anew: a kernel must not write what it reads.
    const own = stores.filter(({ name, output }) => spec.stores[output]!.name === name);
    splitter.addPass(own.map(({ output }) => output), reductions);
  }
  splitter.addRowStores();
  return splitter.plan;
}

class Splitter {
  readonly #spec: LoopSpec;
  readonly #space: LoopSpace;
  readonly #team: RowTeam;
  readonly #options: WgslOptions;
  readonly #sources: Source[];
  readonly #kernels: BoundKernel[] = [];
  readonly #temporaries: number[] = [];

  constructor(spec: LoopSpec, space: LoopSpace, team: RowTeam, options: WgslOptions) {
    this.#spec = spec;
    this.#space = space;
    this.#team = team;
    this.#options = options;
    this.#sources = spec.operands.map((operand, i) => ({
      ...operand,
      buffer: i,
      walk: space.operands[i]!,
    }));
  }

  get plan(): WgslPlan {
    return { kernels: this.#kernels, temporaries: this.#temporaries };
  }

  /** One way along the rows: some outputs, and reductions. */
  addPass(outputs: readonly number[], reductions: readonly Reduction[]): void {
    if (outputs.length + reductions.length === 0) return;
    const kinds = kindsOf(this.#spec);
    const partial = reductions.map(({ name, of }): Target => ({
      name,
      dtype: kinds.get(of) === "float" ? "float32" : "int32",
      moves: false,
      buffer: this.#temporary(sizeOf(this.#space.rows) * this.#team.parts),
    }));
    const targets = [...outputs.map((output) => this.#target(output)), ...partial];
    this.#add(
      targets,
      reductions,
      (spec, operands) => emitRows(spec, { ...this.#space, operands }, this.#team),
    );
    if (reductions.length > 0) this.#combine(reductions, partial);
  }

  /** Outputs that have one value per row and are no reductions. */
  addRowStores(): void {
    const written = new Set(this.#kernels.flatMap(({ outputs }) => outputs));
    const left = [...this.#spec.stores.keys()].map((output) => this.#target(output))
      .filter(({ buffer }) => !written.has(buffer));
    if (left.length === 0) return;
    this.#add(
      left,
      [],
      (spec, operands) => emitElements(spec, { rows: this.#space.rows, columns: [1], operands }),
    );
  }

  /** What rows amount to, from what their parts do. */
  #combine(reductions: readonly Reduction[], partial: readonly Target[]): void {
    const rows = sizeOf(this.#space.rows);
    const { parts } = this.#team;
    const results = partial.map((target) => ({ ...target, buffer: this.#resultBuffer(target) }));
    const spec: LoopSpec = {
      float: "float32",
      operands: partial.map(({ name, dtype }) => ({ name: partOf(name), dtype, moves: true })),
      body: reductions.map(({ name, reduce }) => ({ name, reduce, of: partOf(name) })),
      stores: results,
    };
    const walk = { rows: [parts], columns: [1] };
    const space = { rows: [rows], columns: [parts], operands: partial.map(() => walk) };
    const buffers = [...partial, ...results].map(({ buffer }) => buffer);
    this.#append(
      emitRows(spec, space, { ...teamFor(rows, space, this.#options), parts: 1 }),
      buffers,
    );
    const strides = stridesOf(this.#space.rows);
    const perRow = { rows: strides, columns: this.#space.columns.map(() => 0) };
    for (const result of results) this.#sources.push({ ...result, walk: perRow });
  }

  /** The output that a reduction is, or else a temporary. */
  #resultBuffer({ name, dtype }: LoopStore): number {
    const output = this.#spec.stores.findIndex((store) =>
      !store.moves && store.name === name && store.dtype === dtype
    );
    return output === -1 ? this.#temporary(sizeOf(this.#space.rows)) : this.#target(output).buffer;
  }

  #target(output: number): Target {
    const store = this.#spec.stores[output]!;
    return { ...store, buffer: this.#spec.operands.length + output };
  }

  #temporary(words: number): number {
    const { operands, stores } = this.#spec;
    return operands.length + stores.length + this.#temporaries.push(words) - 1;
  }

  /** A kernel of what it takes to have the targets. */
  #add(
    targets: readonly Target[],
    reductions: readonly Reduction[],
    emit: (spec: LoopSpec, operands: readonly LoopWalk[]) => BoundKernel,
  ): void {
    const reduced = new Set(reductions.map(({ name }) => name));
    const made = targets.map(({ name }) => name).filter((name) => !reduced.has(name));
    const { assignments, sources } = this.#needs([...made, ...reductions.map(({ of }) => of)]);
    const spec: LoopSpec = {
      float: "float32",
      operands: sources,
      body: [...assignments, ...reductions],
      stores: targets,
    };
    const buffers = [...sources, ...targets].map(({ buffer }) => buffer);
    this.#append(emit(spec, sources.map(({ walk }) => walk)), buffers);
  }

  /** What must be read and computed for some values. */
  #needs(names: readonly string[]): { assignments: Assignment[]; sources: Source[] } {
    const needed = new Set<string>();
    const assignments = this.#spec.body.flatMap((x) => "reduce" in x ? [] : [x]);
    const visit = (name: string): void => {
      if (needed.has(name)) return;
      needed.add(name);
      const assignment = assignments.find((statement) => statement.name === name);
      if (assignment !== undefined) namesIn(assignment.expression).forEach(visit);
      const { lookup } = this.#sources.find((source) => source.name === name) ?? {};
      if (lookup !== undefined) visit(lookup.positions);
    };
    names.forEach(visit);
    return {
      assignments: assignments.filter(({ name }) => needed.has(name)),
      sources: this.#sources.filter(({ name }) => needed.has(name)),
    };
  }

  /** Adds a kernel that counts its own buffers. */
  #append({ kernel, inputs, outputs }: BoundKernel, buffers: readonly number[]): void {
    const own = (numbers: readonly number[]) => numbers.map((i) => buffers[i]!);
    this.#kernels.push({ kernel, inputs: own(inputs), outputs: own(outputs) });
  }
}

function partOf(name: string): string {
  return `${name}_part1`;
}
