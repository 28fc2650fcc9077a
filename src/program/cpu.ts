/**
 * Programs on the CPU: a plan over one block of memory.
 *
 * @module
 */
import { compileFused, type FusedLoop, type RowBlock } from "../../kernels/elementwise/fused.ts";
import {
  type Expression,
  parseExpression,
  substitute,
} from "../../kernels/elementwise/expression.ts";
import type { DType, TypedArray } from "../dtype.ts";
import type { Axes } from "../ops/reduce.ts";
import type { Scalars } from "../ops/elementwise.ts";
import { sizeOf } from "../shape.ts";
import { fromData, type Tensor } from "../tensor.ts";
import type { Graph, Step, ValueId } from "./graph.ts";
import { fuseSteps, type Group, isGroup, type Unit } from "./passes/fuse.ts";
import { isAlias, type MemoryPlan, planMemory } from "./plan.ts";
import { iterationSpace, walkOuter } from "./space.ts";

/** A graph that can be run, again and again, in memory of its own. */
export class CpuExecutable {
  readonly graph: Graph;
  /** What is done, in order. */
  readonly units: readonly Unit[];
  /** Where values lie. */
  readonly memory: MemoryPlan;
  readonly #views = new Map<ValueId, Tensor>();
  readonly #instructions: readonly (() => void)[];

  constructor(graph: Graph) {
    this.graph = graph;
    this.units = fuseSteps(graph);
    this.memory = planMemory(graph, this.units);
    const buffer = new ArrayBuffer(this.memory.bytes);
    for (const [id, offset] of this.memory.offsets) {
      const { shape, dtype } = graph.values[id]!;
      this.#views.set(id, fromData(viewOf(buffer, dtype, offset, sizeOf(shape)), shape, dtype));
    }
    for (const [id, constant] of graph.constants) this.#write(id, constant.data);
    this.#instructions = this.units.flatMap((unit) => this.#instruction(unit) ?? []);
  }

  /** The outputs for these inputs. */
  run(inputs: readonly Tensor[]): Tensor[] {
    this.graph.inputs.forEach((id, i) => this.#write(id, inputs[i]!.data));
    for (const instruction of this.#instructions) instruction();
    return this.graph.outputs.map((id) => {
      const { shape, dtype } = this.graph.values[id]!;
      return fromData(this.#view(id).data.slice(), shape, dtype);
    });
  }

  #view(id: ValueId): Tensor {
    return this.#views.get(id)!;
  }

  #write(id: ValueId, data: TypedArray): void {
    (this.#view(id).data as Float64Array).set(data);
  }

  #instruction(unit: Unit): (() => void) | undefined {
    if (isGroup(unit)) return this.#loop(unit);
    const { op, params, output } = unit;
    const alias = isAlias(unit, this.graph);
    if (alias && !op.isCheck && typeof params !== "function") return undefined;
    const inputs = unit.inputs.map((id) => this.#view(id));
    const spec = this.graph.values[output]!;
    if (alias) return () => void op.forward(inputs, params, spec);
    return () => this.#write(output, op.forward(inputs, params, spec));
  }

  #loop(group: Group): () => void {
    const { shape, operands, reductions, stored } = group;
    const reduced = (reductions[0]?.params as Axes | undefined)?.axes.length ?? 0;
    const shapes = operands.map((id) => this.graph.values[id]!.shape);
    const space = iterationSpace(shape, shapes, reduced);
    const run = compileFused(fusedLoop(group, space.operands.map(({ moves }) => moves)));
    const written = [...stored, ...reductions.map((step) => step.output)];
    const starts = operands.map(() => 0);
    const block: RowBlock = {
      rows: space.rows,
      columns: space.columns,
      data: operands.map((id) => this.#view(id).data),
      starts,
      steps: space.operands.map(({ step }) => step),
      out: written.map((id) => this.#view(id).data),
      firstRow: 0,
    };
    return () =>
      walkOuter(space, starts, (index) => {
        block.firstRow = index * space.rows;
        run(block);
      });
  }
}

function viewOf(buffer: ArrayBuffer, dtype: DType, offset: number, size: number): TypedArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(buffer, offset, size);
    case "float64":
      return new Float64Array(buffer, offset, size);
    case "int32":
      return new Int32Array(buffer, offset, size);
    case "bool":
      return new Uint8Array(buffer, offset, size);
  }
}

/** A group as a loop over named values. */
function fusedLoop({ operands, members, reductions, stored }: Group, moves: boolean[]): FusedLoop {
  const nameOf = (id: ValueId) => `v${id}`;
  return {
    operands: operands.map((id, i) => ({ name: nameOf(id), moves: moves[i]! })),
    body: members.map((step) => ({ name: nameOf(step.output), expression: named(step, nameOf) })),
    stores: stored.map(nameOf),
    reductions: reductions.map(({ op, inputs }) => ({
      name: nameOf(inputs[0]!),
      kind: op.name as "sum" | "max" | "min",
    })),
  };
}

/** The expression of a step in terms of its values' names, with its parameters as numbers. */
function named({ op, inputs, params }: Step, nameOf: (id: ValueId) => string): Expression {
  if (op.expression === undefined) return { kind: "name", name: nameOf(inputs[0]!) };
  const values: Record<string, Expression> = {};
  ["a", "b", "c"].forEach((name, i) => {
    if (i < inputs.length) values[name] = { kind: "name", name: nameOf(inputs[i]!) };
  });
  ["p", "q"].forEach((name, i) => {
    const value = (params as Scalars)[i];
    if (value !== undefined) values[name] = { kind: "number", value };
  });
  return substitute(parseExpression(op.expression), values);
}
