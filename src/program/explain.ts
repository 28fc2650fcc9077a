/**
 * A program in words: what runs, where, on how much, in how much memory.
 *
 * @module
 */
import { splitOuter } from "../../kernels/matmul/reference.ts";
import { formatBytes } from "../describe.ts";
import type { Spec } from "../op.ts";
import { formatShape, sizeOf } from "../shape.ts";
import type { Graph, Step, ValueId } from "./graph.ts";
import { isGroup, type Unit } from "./passes/fuse.ts";
import { readsOf, writesOf } from "./plan.ts";
import { type BlockInput, type BlockRun, loopIn } from "./row_blocks.ts";

/** Constants of more values than this are shown by their shape only. */
const SHOWN = 4;

/** A unit of a plan, as a device does it. */
export interface PlannedUnit {
  readonly unit: Unit;
  /** Where and how: "kernel", "on the host". */
  readonly how: string;
  /** What the bodies of a loop do, in the order of its runs. */
  readonly bodies?: readonly (readonly PlannedUnit[])[];
}

/** The plan of a program, as a device has made it. */
export interface Plan {
  /** The device's name. */
  readonly device: string;
  readonly graph: Graph;
  readonly units: readonly PlannedUnit[];
  /** How many bytes a value takes there. */
  readonly bytesOf: (spec: Spec) => number;
  /** What a call costs besides FLOP. */
  readonly cost?: string;
  /** Memory, checks and whatever else there is to tell, a line each. */
  readonly notes: readonly string[];
}

/** The plan in words: inputs, constants, a line per step, outputs, memory. */
export function explainPlan({ device, graph, units, bytesOf, cost, notes }: Plan): string {
  const steps = describeUnits(units, graph, bytesOf);
  return [
    `program on ${device}: ${count(steps.count, "step")}, ${formatCount(steps.flops)} FLOP` +
    (cost === undefined ? "" : `, ${cost}`),
    ...graph.inputs.map((id) => `  ${describe(graph, id)} is an argument`),
    ...[...graph.constants].map(([id, { size, data }]) =>
      `  ${describe(graph, id)} is constant${size <= SHOWN ? `: ${[...data].join(", ")}` : ""}`
    ),
    ...steps.lines.map((line) => `  ${line}`),
    `  returns ${graph.outputs.map((id) => `%${id}`).join(", ") || "nothing"}`,
    ...notes.map((note) => `  ${note}`),
  ].join("\n");
}

/** How a step runs that the device has no kernel for. */
export function describeHost({ op }: Step): string {
  return `on the host, as there is no kernel for ${op.name}`;
}

/** A number of things. */
export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

interface Steps {
  count: number;
  flops: number;
  lines: string[];
}

/** What is done, a line per step; the steps of a loop's bodies follow it. */
function describeUnits(
  units: readonly PlannedUnit[],
  graph: Graph,
  bytesOf: Plan["bytesOf"],
): Steps {
  const steps: Steps = { count: 0, flops: 0, lines: [] };
  for (const { unit, how, bodies } of units) {
    const number = String(++steps.count).padStart(3);
    if (bodies === undefined) {
      const flops = countFlops(unit, graph);
      const moved = [...readsOf(unit), ...writesOf(unit)]
        .reduce((sum, id) => sum + bytesOf(graph.values[id]!), 0);
      steps.flops += flops;
      steps.lines.push(
        `${number}. ${headOf(unit, graph)}  ${how}, ${formatCount(flops)} FLOP, ` +
          `${formatBytes(moved)} moved`,
      );
      continue;
    }
    const step = unit as Step;
    steps.lines.push(`${number}. ${headOf(step, graph)}${how}`);
    loopIn(step)!.runs.forEach((run, i) => {
      const { body, inputs, count: blocks, ends } = run;
      const own = describeUnits(bodies[i]!, body, bytesOf);
      steps.flops += (ends === undefined ? blocks : 1) * own.flops;
      const given = body.inputs.map((id, k) =>
        `${describe(body, id)} ${describeInput(inputs[k]!, step)}`
      );
      steps.lines.push(
        `     ${describeCount(run)}: ${given.join(", ")}`,
        ...own.lines.map((line) => `     ${line}`),
        `       gives ${body.outputs.map((id) => `%${id}`).join(", ")}`,
      );
    });
  }
  return steps;
}

/** How often a body is done. */
function describeCount({ body, inputs, count: times, ends }: BlockRun): string {
  if (ends !== undefined) {
    return `${Number.isFinite(times) ? `at most ${count(times, "turn")}, ` : ""}while %${
      body.inputs[ends]
    }`;
  }
  return count(times, inputs.some(({ carry }) => carry !== undefined) ? "turn" : "block");
}

/** What an input of a body is. */
function describeInput({ from, step: stride, carry }: BlockInput, { inputs }: Step): string {
  const of = `%${inputs[from]}`;
  if (carry !== undefined) return `from ${of} on`;
  return `= ${stride === undefined ? of : `rows of ${of}`}`;
}

function describe(graph: Graph, id: ValueId): string {
  const { shape, dtype } = graph.values[id]!;
  return `%${id} ${dtype}${formatShape(shape)}`;
}

/** What a unit makes, by which operations, of what. */
function headOf(unit: Unit, graph: Graph): string {
  const names = isGroup(unit)
    ? [...unit.members, ...unit.reductions].map((step) => step.op.name)
    : [loopIn(unit)?.name ?? unit.op.name];
  const list = (ids: readonly ValueId[], text: (id: ValueId) => string) => ids.map(text).join(", ");
  return `${list(writesOf(unit), (id) => describe(graph, id))} = ${names.join(" ")}(${
    list(readsOf(unit), (id) => `%${id}`)
  })`;
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
      const layout = op.layout(inputs.map((id) => graph.values[id]!.shape), params);
      return (op.term === "product" ? 2 : 3) * size * layout.k * sizeOf(splitOuter(layout).sums);
    }
    case "map":
      return size;
    case "reduce":
    case "cumulative":
      return sizeOf(first);
    case "sparseProduct":
      return 2 * sizeOf(first) * graph.values[output]!.shape[1]!;
    default:
      return 0;
  }
}

function formatCount(n: number): string {
  const units = ["", " k", " M", " G", " T"];
  const power = Math.min(units.length - 1, n < 1 ? 0 : Math.floor(Math.log10(n) / 3));
  return `${Number((n / 1000 ** power).toPrecision(3))}${units[power]}`;
}
