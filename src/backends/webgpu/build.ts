/**
 * From a graph to instructions: kernels for its units, and buffers for its values.
 *
 * @module
 */
import { checkKernel } from "./check_kernel.ts";
import { WGSL_TYPES, type WgslKernel } from "../../../kernels/wgsl/kernel.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { describeHost, type PlannedUnit } from "../../program/explain.ts";
import { isGroup, type Unit } from "../../program/passes/fuse.ts";
import { isAlias } from "../../program/alias.ts";
import { writesOf } from "../../program/plan.ts";
import {
  type BlockResult,
  type BlockRun,
  isShared,
  loopIn,
  type RowLoop,
} from "../../program/row_blocks.ts";
import { sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { accumulateKernel } from "./accumulate.ts";
import {
  type Check,
  checkOf,
  type HostPath,
  hostPath,
  predicateOf,
  verifyOnHost,
} from "./checks.ts";
import type { Times } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { describeKernels } from "./explain.ts";
import {
  type Bound,
  type Copy,
  Dispatch,
  type HostStep,
  type Instruction,
  LOOK_EVERY,
  type Placed,
  type PlaceId,
} from "./instructions.ts";
import { deviceElement, type Lowered, lowerStep } from "./lower.ts";
import { lowerGroup } from "./lower_loops.ts";
import { checkLimits, checkSize, checkTypes } from "./limits.ts";
import { maskTurns } from "./masked_turns.ts";
import { literalsOf, Scope } from "./scope.ts";
import { Slots } from "./slots.ts";
import { partition } from "./partition.ts";
import { deviceBytes } from "./device_layout.ts";

/** A check and how the host finds its values; `undefined` where it cannot. */
export interface PlacedCheck {
  readonly check: Check;
  readonly path: HostPath | undefined;
}

/** Bytes of the two words in which a check notes what it finds. */
const NOTE_BYTES = 8;

/** A graph's instructions, and what they need. */
export class Build {
  readonly graph: Graph;
  readonly slots: Slots = new Slots();
  /** The places of the graph's inputs. */
  readonly inputs: readonly PlaceId[];
  /** The places of the graph's outputs. */
  readonly outputs: readonly PlaceId[];
  /** The constants that are needed on the device. */
  readonly constants: Map<PlaceId, Tensor> = new Map();
  readonly checks: PlacedCheck[] = [];
  readonly units: readonly PlannedUnit[];
  /** The kernels of all units, and what they are for. */
  readonly kernels: (WgslKernel & { unit: Unit; graph: Graph })[] = [];
  /** How many steps the host does. */
  hostSteps = 0;
  readonly instructions: readonly Instruction[];
  /** Where the device notes what checks find; `undefined` where there are none. */
  readonly notes: Bound | undefined;
  readonly #notes: PlaceId;
  /** Units of kernels and of steps of the host, and the loops around them. */
  readonly #owners = new Map<Dispatch | HostStep, Unit[]>();
  readonly #engine: Engine;
  readonly #pipelines: Promise<unknown>[] = [];

  constructor(given: Graph, engine: Engine) {
    checkTypes(given);
    const graph = maskTurns(given);
    this.graph = graph;
    this.#engine = engine;
    const { maxBufferSize } = engine.gpu.limits;
    const bytes = (id: ValueId) => {
      checkSize(graph, id, maxBufferSize);
      return deviceBytes(graph.values[id]!.shape);
    };
    this.inputs = graph.inputs.map((id) => this.slots.add("input", bytes(id)));
    this.outputs = graph.outputs.map((id) => this.slots.add("output", bytes(id)));
    this.#notes = this.slots.add("own", NOTE_BYTES);
    const scope = new Scope(graph, literalsOf(graph));
    graph.inputs.forEach((id, i) => scope.places.set(id, this.inputs[i]!));
    this.instructions = this.#sequence(scope, this.outputs);
    this.units = scope.units;
    const count = this.checks.length;
    this.slots.places[this.#notes]!.bytes = NOTE_BYTES * Math.max(1, count);
    this.notes = count === 0 ? undefined : { place: this.#notes, bytes: NOTE_BYTES * count };
  }

  /** Waits until all kernels are compiled; throws where one cannot be. */
  async ready(): Promise<this> {
    await Promise.all(this.#pipelines);
    return this;
  }

  /** The instructions of a graph whose results go to the given places. */
  #sequence(scope: Scope, outputs: readonly PlaceId[]): Instruction[] {
    const { graph, places } = scope;
    const units = partition(scope, this.#engine.target);
    const lifetimes = scope.live(units);
    const targets = new Map<ValueId, PlaceId>();
    graph.outputs.forEach((id, i) => {
      const owner = scope.ownerOf(id);
      if (!targets.has(owner)) targets.set(owner, outputs[i]!);
    });
    const instructions: Instruction[] = [];
    units.forEach((unit, i) => {
      const made = writesOf(unit).filter((id) => scope.ownerOf(id) === id);
      for (const id of made) {
        checkSize(graph, id, this.#engine.gpu.limits.maxBufferSize);
        places.set(id, targets.get(id) ?? this.slots.take(deviceBytes(graph.values[id]!.shape)));
      }
      const own = this.#unit(unit, scope);
      this.#own(own, unit);
      instructions.push(...own);
      for (const id of lifetimes.endingAt(i)) this.slots.give(places.get(id)!);
    });
    graph.outputs.forEach((id, i) => {
      const from = this.#placeOf(scope.ownerOf(id), scope);
      const bytes = 4 * sizeOf(graph.values[id]!.shape);
      if (from !== outputs[i] && bytes > 0) instructions.push(copyOf(from, outputs[i]!, bytes));
    });
    return instructions;
  }

  /** What units took, from what kernels and steps of the host did. */
  timesOf(times: Times): Map<Unit, number> {
    const units = new Map<Unit, number>();
    for (const [what, milliseconds] of times) {
      for (const unit of this.#owners.get(what)!) {
        units.set(unit, (units.get(unit) ?? 0) + milliseconds);
      }
    }
    return units;
  }

  #own(instructions: readonly Instruction[], unit: Unit): void {
    for (const instruction of instructions) {
      if (instruction.kind === "loop") this.#own(instruction.body, unit);
      const what = instruction.kind === "check" ? instruction.dispatch : instruction;
      if (what.kind !== "dispatch" && what.kind !== "host") continue;
      this.#owners.set(what, [...this.#owners.get(what) ?? [], unit]);
    }
  }

  #unit(unit: Unit, scope: Scope): Instruction[] {
    const { graph, literals } = scope;
    const { target } = this.#engine;
    if (isGroup(unit)) {
      return [
        ...(unit.lookups ?? []).flatMap((step) => this.#check(step, scope)),
        ...this.#kernels(unit, lowerGroup(unit, graph, literals, target), scope),
      ];
    }
    const loop = loopIn(unit);
    if (loop !== undefined) return this.#loop(unit, loop, scope);
    const looks = this.#check(unit, scope);
    if (isAlias(unit, graph)) return looks;
    const lowered = lowerStep(unit, graph, literals, target);
    return [
      ...looks,
      ...(lowered === undefined ? this.#host(unit, scope) : this.#kernels(unit, lowered, scope)),
    ];
  }

  #kernels(unit: Unit, { parts, reads, writes }: Lowered, scope: Scope): Instruction[] {
    const kernels = parts.flatMap(({ plan }) => plan.kernels.map(({ kernel }) => kernel));
    this.kernels.push(...kernels.map((kernel) => ({ ...kernel, unit, graph: scope.graph })));
    scope.units.push({ unit, how: describeKernels(kernels) });
    const values = [...reads, ...writes].map((id) => this.#bound(id, scope));
    return parts.flatMap(({ plan, ranges }) => {
      const seen = values.map((value, i) => ({ ...value, ...ranges?.[i] }));
      const temporaries = plan.temporaries.map((words): Bound => {
        const bytes = 4 * Math.max(1, words);
        return { place: this.slots.take(bytes), bytes };
      });
      const bound = [...seen, ...temporaries];
      const instructions = plan.kernels.map(({ kernel, inputs, outputs }) =>
        this.#dispatch(kernel, [...inputs, ...outputs].map((i) => bound[i]!))
      );
      temporaries.forEach(({ place }) => this.slots.give(place));
      return instructions;
    });
  }

  #dispatch(kernel: WgslKernel, bound: readonly Bound[]): Dispatch {
    const { gpu, target, pipelines } = this.#engine;
    checkLimits(target, kernel, bound);
    const dispatch = new Dispatch(gpu, kernel, bound);
    this.#pipelines.push(pipelines.get(kernel).then((found) => dispatch.pipeline = found));
    return dispatch;
  }

  /** A look at what a step reads: at once where that is constant. */
  #check(step: Step, scope: Scope): Instruction[] {
    const check = checkOf(step, scope.graph);
    if (check === undefined) return [];
    const { graph, depth, going } = scope;
    const path = depth === 0 ? hostPath(check.values, graph) : undefined;
    if (path?.inputs.length === 0) {
      verifyOnHost(check, path, graph, []);
      return [];
    }
    const note = this.checks.push({ check, path }) - 1;
    const { specs: [{ shape, dtype }], forbidden } = check;
    const kernel = checkKernel({
      type: WGSL_TYPES[deviceElement(dtype)],
      count: sizeOf(shape),
      predicate: predicateOf(forbidden, dtype),
      wanted: forbidden.kind === "nothing" ? "none" : "first",
      masked: check.values.length > 1,
      flagged: check.flag !== undefined,
      loops: going.length,
      note,
    });
    const notes = { place: this.#notes, bytes: NOTE_BYTES * (note + 1) };
    const flags = check.flag === undefined ? [] : [check.flag];
    const looked = [...check.values, ...flags].map((id) => this.#bound(id, scope));
    const conditions = going.map((place) => ({ place, bytes: 4 }));
    const dispatch = this.#dispatch(kernel, [...looked, ...conditions, notes]);
    return [{ kind: "check", check: note, dispatch }];
  }

  #host(step: Step, scope: Scope): Instruction[] {
    const { graph } = scope;
    this.hostSteps++;
    scope.units.push({ unit: step, how: describeHost(step) });
    const placed = (id: ValueId): Placed => ({
      place: this.#placeOf(id, scope),
      spec: graph.values[id]!,
    });
    return [{ kind: "host", step, inputs: step.inputs.map(placed), output: placed(step.output) }];
  }

  #loop(step: Step, { runs, results }: RowLoop, scope: Scope): Instruction[] {
    if (runs.some(({ ends, count }) => ends !== undefined && count > LOOK_EVERY)) this.hostSteps++;
    const bodies: PlannedUnit[][] = [];
    scope.units.push({ unit: step, how: "", bodies });
    const out = this.#bound(step.output, scope);
    const bytesOf = (k: number) => {
      const { body } = runs[0]!;
      return 4 * sizeOf(body.values[body.outputs[k]!]!.shape);
    };
    const zeros = results.flatMap(({ combine, start }, k): Instruction[] =>
      combine !== "sum" || bytesOf(k) === 0
        ? []
        : [{ kind: "clear", to: out.place, start: 4 * start, bytes: bytesOf(k) }]
    );
    return [
      ...zeros,
      ...runs.flatMap((run) => {
        const inner = new Scope(run.body, new Map(), scope);
        bodies.push(inner.units);
        return this.#run(run, step, results, out, scope, inner);
      }),
    ];
  }

  /** The blocks that are done by one body. */
  #run(
    { body, first, count, inputs, ends }: BlockRun,
    step: Step,
    results: RowLoop["results"],
    out: Bound,
    scope: Scope,
    inner: Scope,
  ): Instruction[] {
    const own: PlaceId[] = [];
    const take = (id: ValueId): PlaceId => {
      const place = this.slots.take(deviceBytes(body.values[id]!.shape));
      own.push(place);
      return place;
    };
    const before: Copy[] = [];
    const turn: Instruction[] = [];
    const carried: Carried[] = [];
    body.inputs.forEach((id, i) => {
      const { from, start, step: stride = 0, carry } = inputs[i]!;
      const outer = step.inputs[from]!;
      if (isShared(inputs[i]!)) return inner.see(id, scope, outer);
      const place = take(id);
      inner.places.set(id, place);
      const bytes = 4 * sizeOf(body.values[id]!.shape);
      const copy = { ...copyOf(this.#placeOf(outer, scope), place, bytes), fromStart: 4 * start };
      if (bytes > 0 && carry === undefined) {
        turn.push({ ...copy, fromStep: 4 * stride });
      } else if (bytes > 0) {
        before.push(copy);
        carried.push({ place, carry: carry!, bytes });
      }
    });
    const goesOn = ends === undefined ? undefined : inner.places.get(body.inputs[ends]!)!;
    if (goesOn !== undefined) inner.going.push(goesOn);
    const made = body.outputs.map(take);
    turn.push(...this.#sequence(inner, made));
    results.forEach((result, k) => {
      const placed = { place: made[k]!, spec: body.values[body.outputs[k]!]! };
      turn.push(...this.#combine(result, first, out, placed));
    });
    turn.push(...carried.map(({ place, carry, bytes }) => copyOf(made[carry]!, place, bytes)));
    own.forEach((place) => this.slots.give(place));
    return [
      ...before,
      { kind: "loop", count, body: turn, goesOn },
      ...carried.flatMap((from) => lastCarry(from, results, out)),
    ];
  }

  /** Puts a block's result where it belongs, or adds it to those before. */
  #combine(
    { combine, start, step }: BlockResult,
    first: number,
    out: Bound,
    { place, spec: { shape, dtype } }: Placed,
  ): Instruction[] {
    const size = sizeOf(shape);
    if (size === 0 || combine === "last") return [];
    if (combine === "sum") {
      const kernel = accumulateKernel(deviceElement(dtype), size, start);
      return [this.#dispatch(kernel, [{ place, bytes: 4 * size }, out])];
    }
    const steps = { toStart: 4 * (start + first * step), toStep: 4 * step };
    return [{ ...copyOf(place, out.place, 4 * size), ...steps }];
  }

  #bound(id: ValueId, scope: Scope): Bound {
    return { place: this.#placeOf(id, scope), bytes: deviceBytes(scope.graph.values[id]!.shape) };
  }

  /** Where a value lies; constants come to the device when they are first needed there. */
  #placeOf(id: ValueId, scope: Scope): PlaceId {
    const owner = scope.ownerOf(id);
    const place = scope.places.get(owner);
    if (place !== undefined) return place;
    const outside = scope.outside.get(owner);
    if (outside !== undefined) return this.#placeOf(outside.id, outside.scope);
    const constant = scope.graph.constants.get(owner)!;
    const own = this.slots.add("own", deviceBytes(constant.shape));
    scope.places.set(owner, own);
    this.constants.set(own, constant);
    return own;
  }
}

function copyOf(from: PlaceId, to: PlaceId, bytes: number): Copy {
  return { kind: "copy", from, to, fromStart: 0, fromStep: 0, toStart: 0, toStep: 0, bytes };
}

/** What goes on to the next block. */
interface Carried {
  place: PlaceId;
  /** Which output of the body it is. */
  carry: number;
  bytes: number;
}

/** The last carry to where it belongs, if it is a result. */
function lastCarry(
  { place, carry, bytes }: Carried,
  results: RowLoop["results"],
  to: Bound,
): Copy[] {
  const result = results[carry];
  if (result?.combine !== "last") return [];
  return [{ ...copyOf(place, to.place, bytes), toStart: 4 * result.start }];
}
