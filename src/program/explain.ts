/**
 * A program in words: what runs, on how much, by which kernel, in how much memory.
 *
 * @module
 */
import { formatShape, sizeOf } from "../shape.ts";
import type { CpuExecutable } from "./cpu.ts";
import type { Graph, Step, ValueId } from "./graph.ts";
import { isGroup, type Unit } from "./passes/fuse.ts";
import { bytesOf, isAlias, type MemoryPlan, readsOf, writesOf } from "./plan.ts";
import { loopIn } from "./row_blocks.ts";
import { isOnHost } from "./step_kernels.ts";
import { formatBytes } from "../describe.ts";

/** Constants of more values than this are shown by their shape only. */
const SHOWN = 4;

/** The plan of a program: inputs, constants, a line per step, outputs, memory. */
export function explainProgram({ graph, units, memory, bytes, wasm }: CpuExecutable): string {
  const steps = describeUnits(units, graph, memory, wasm);
  return [
    `program on cpu: ${steps.count} step${steps.count === 1 ? "" : "s"}, ${
      formatCount(steps.flops)
    } FLOP`,
    ...graph.inputs.map((id) => `  ${describe(graph, id)} is an argument`),
    ...[...graph.constants].map(([id, { size, data }]) =>
      `  ${describe(graph, id)} is constant${size <= SHOWN ? `: ${[...data].join(", ")}` : ""}`
    ),
    ...steps.lines.map((line) => `  ${line}`),
    `  returns ${graph.outputs.map((id) => `%${id}`).join(", ") || "nothing"}`,
    `  memory: ${formatBytes(bytes)}, without sharing ${formatBytes(memory.unsharedBytes)}`,
  ].join("\n");
}

interface Steps {
  count: number;
  flops: number;
  lines: string[];
}

/** What is done, a line per step; the steps of a loop's bodies follow it. */
function describeUnits(
  units: readonly Unit[],
  graph: Graph,
  memory: MemoryPlan,
  wasm: boolean,
): Steps {
  const steps: Steps = { count: 0, flops: 0, lines: [] };
  for (const unit of units) {
    if (!isGroup(unit) && isAlias(unit, graph) && unit.op.kind !== "check") continue;
    const number = String(++steps.count).padStart(3);
    const loop = isGroup(unit) ? undefined : loopIn(unit);
    if (loop === undefined) {
      steps.flops += countFlops(unit, graph);
      steps.lines.push(`${number}. ${describeUnit(unit, graph, wasm)}`);
      continue;
    }
    const { output, inputs } = unit as Step;
    const names = inputs.map((id) => `%${id}`).join(", ");
    steps.lines.push(`${number}. ${describe(graph, output)} = ${loop.name}(${names})`);
    memory.bodies.get(unit as Step)!.forEach((plan, i) => {
      const { body, inputs, count } = loop.runs[i]!;
      const own = describeUnits(plan.units, body, plan.memory, wasm);
      steps.flops += count * own.flops;
      const given = body.inputs.map((id, k) => {
        const of = `%${(unit as Step).inputs[inputs[k]!.from]}`;
        return `${describe(body, id)} = ${inputs[k]!.step === undefined ? of : `rows of ${of}`}`;
      });
      steps.lines.push(
        `     ${count} block${count === 1 ? "" : "s"}: ${given.join(", ")}`,
        ...own.lines.map((line) => `     ${line}`),
        `       gives ${body.outputs.map((id) => `%${id}`).join(", ")}`,
      );
    });
  }
  return steps;
}

function describe(graph: Graph, id: ValueId): string {
  const { shape, dtype } = graph.values[id]!;
  return `%${id} ${dtype}${formatShape(shape)}`;
}

function describeUnit(unit: Unit, graph: Graph, wasm: boolean): string {
  const names = isGroup(unit)
    ? [...unit.members, ...unit.reductions].map((step) => step.op.name)
    : [unit.op.name];
  const bytes = [...readsOf(unit), ...writesOf(unit)].reduce(
    (sum, id) => sum + bytesOf(graph, id),
    0,
  );
  const kernel = isGroup(unit)
    ? `one loop over ${formatShape(unit.shape)}`
    : !wasm || isOnHost(unit, graph)
    ? "on the host"
    : "kernel";
  return `${writesOf(unit).map((id) => describe(graph, id)).join(", ")} = ${names.join(" ")}(${
    readsOf(unit).map((id) => `%${id}`).join(", ")
  })  ${kernel}, ${formatCount(countFlops(unit, graph))} FLOP, ${formatBytes(bytes)} moved`;
}

/** Floating-point operations: exact for products and distances, one per value and step elsewhere. */
function countFlops(unit: Unit, graph: Graph): number {
  if (isGroup(unit)) {
    return (unit.members.length + unit.reductions.length) * sizeOf(unit.shape);
  }
  const { op, inputs, params, output }: Step = unit;
  const size = sizeOf(graph.values[output]!.shape);
  const first = graph.values[inputs[0] ?? output]!.shape;
  switch (op.kind) {
    case "product": {
      const k = first.at(op.transposed(params).a ? -2 : -1)!;
      return (op.term === "product" ? 2 : 3) * size * k;
    }
    case "map":
      return size;
    case "reduce":
      return sizeOf(first);
    default:
      return 0;
  }
}

function formatCount(n: number): string {
  const units = ["", " k", " M", " G", " T"];
  const power = Math.min(units.length - 1, n < 1 ? 0 : Math.floor(Math.log10(n) / 3));
  return `${Number((n / 1000 ** power).toPrecision(3))}${units[power]}`;
}
