/**
 * From a graph to instructions: kernels for its units, and buffers for its values.
 *
 * @module
 */
import type { WgslKernel } from "../../../kernels/wgsl/kernel.ts";
import type { Spec } from "../../op.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { describeHost, type PlannedUnit } from "../../program/explain.ts";
import { isGroup, lookupsOf, type Unit } from "../../program/passes/fuse.ts";
import { isAlias } from "../../program/alias.ts";
import { Lifetimes, writesOf } from "../../program/plan.ts";
import {
  type BlockResult,
  type BlockRun,
  isShared,
  loopIn,
  type RowLoop,
} from "../../program/row_blocks.ts";
import { sizeOf } from "../../shape.ts";
import type { Tensor } from "../../tensor.ts";
import { type Check, checkOf, verifyOnHost } from "./checks.ts";
import type { Engine } from "./engine.ts";
import { describeKernels } from "./explain.ts";
import { accumulateKernel, checkKernel } from "./kernels.ts";
import {
  type Bound,
  type Copy,
  type Dispatch,
  type HostStep,
  type Instruction,
  LOOK_EVERY,
  type PlaceId,
} from "./instructions.ts";
import { deviceElement, type Lowered, lowerStep } from "./lower.ts";
import { lowerGroup, partition } from "./lower_loops.ts";
import { checkLimits, checkSize, checkTypes } from "./limits.ts";
import { maskTurns } from "./masked_turns.ts";
import { Slots } from "./slots.ts";
import { deviceBytes } from "./device_layout.ts";

/** Bytes of the two words in which a check notes what it finds. */
const NOTE_BYTES = 8;

/** The values of a graph, the program's or that of a loop's body, while instructions are made. */
interface Scope {
  readonly graph: Graph;
  readonly lifetimes: Lifetimes;
  /** Where values lie, constants aside. */
  readonly places: Map<ValueId, PlaceId>;
  /** Where it lies whether the loops around go on, of those that end by themselves. */
  readonly going: readonly PlaceId[];
  /** What is done, for the plan in words. */
  readonly planned: PlannedUnit[];
}

/** A graph's instructions, and what they need. */
export class Build {
  readonly graph: Graph;
  readonly slots: Slots = new Slots();
  /** The places of the graph's inputs. */
  readonly inputs: readonly PlaceId[];
  /** The places of the graph's outputs. */
  readonly outputs: readonly PlaceId[];
  /** The constants that are needed on the device. */
  readonly constants: Map<Tensor, PlaceId> = new Map();
  readonly checks: Check[] = [];
  readonly units: readonly PlannedUnit[];
  /** The kernels of all units, and what they are for. */
  readonly kernels: (WgslKernel & { unit: Unit; graph: Graph })[] = [];
  /** How many steps the host does. */
  hostSteps = 0;
  readonly instructions: readonly Instruction[];
  /** Where the device notes what checks find. */
  readonly notes: PlaceId;
  /** The unit that instructions are made for, last, and the loops around it. */
  readonly #within: Unit[] = [];
  readonly #engine: Engine;
  readonly #pipelines: Promise<unknown>[] = [];

  constructor(given: Graph, engine: Engine) {
    checkTypes(given);
    const graph = maskTurns(given);
    this.graph = graph;
    this.#engine = engine;
    this.inputs = graph.inputs.map((id) => this.slots.add("input", this.#bytesOf(id, graph)));
    this.outputs = graph.outputs.map((id) => this.slots.add("output", this.#bytesOf(id, graph)));
    this.notes = this.slots.add("own", NOTE_BYTES);
    const places = new Map(graph.inputs.map((id, i) => [id, this.inputs[i]!]));
    [this.instructions, this.units] = this.#sequence(graph, places, [], this.outputs);
    this.slots.places[this.notes]!.bytes = NOTE_BYTES * Math.max(1, this.checks.length);
  }

  /** Waits until all kernels are compiled; throws where one cannot be. */
  async ready(): Promise<void> {
    await Promise.all(this.#pipelines);
  }

  /** The instructions of a graph whose results go to the given places, and what is done, in words. */
  #sequence(
    graph: Graph,
    places: Map<ValueId, PlaceId>,
    going: readonly PlaceId[],
    outputs: readonly PlaceId[],
  ): [Instruction[], PlannedUnit[]] {
    const units = partition(graph, this.#engine.target);
    const lifetimes = new Lifetimes(graph, units);
    const scope: Scope = { graph, lifetimes, places, going, planned: [] };
    const targets = new Map<ValueId, PlaceId>();
    graph.outputs.forEach((id, i) => {
      const owner = lifetimes.ownerOf(id);
      if (!targets.has(owner)) targets.set(owner, outputs[i]!);
    });
    const instructions: Instruction[] = [];
    units.forEach((unit, i) => {
      for (const id of writesOf(unit)) {
        if (lifetimes.ownerOf(id) !== id) continue;
        places.set(id, targets.get(id) ?? this.slots.take(this.#bytesOf(id, graph)));
      }
      this.#within.push(unit);
      instructions.push(...this.#unit(unit, scope));
      this.#within.pop();
      for (const id of lifetimes.endingAt(i)) this.slots.give(places.get(id)!);
    });
    graph.outputs.forEach((id, i) => {
      const from = this.#placeOf(id, scope);
      if (from !== outputs[i]) instructions.push(...copyOf(from, outputs[i]!, graph.values[id]!));
    });
    return [instructions, scope.planned];
  }

  #unit(unit: Unit, scope: Scope): Instruction[] {
    const { graph } = scope;
    const { target } = this.#engine;
    if (isGroup(unit)) {
      return [
        ...lookupsOf(unit).flatMap((step) => this.#check(step, scope)),
        ...this.#kernels(unit, lowerGroup(unit, graph, target), scope),
      ];
    }
    const loop = loopIn(unit);
    if (loop !== undefined) return this.#loop(unit, loop, scope);
    const looks = this.#check(unit, scope);
    if (isAlias(unit, graph)) return looks;
    const lowered = lowerStep(unit, graph, target);
    return [
      ...looks,
      ...(lowered === undefined ? this.#host(unit, scope) : this.#kernels(unit, lowered, scope)),
    ];
  }

  #kernels(unit: Unit, { values, kernels, temporaries }: Lowered, scope: Scope): Instruction[] {
    this.kernels.push(...kernels.map(({ kernel }) => ({ ...kernel, unit, graph: scope.graph })));
    scope.planned.push({ unit, how: describeKernels(kernels) });
    const own = temporaries.map((words): Bound => {
      const bytes = 4 * Math.max(1, words);
      return { place: this.slots.take(bytes), bytes };
    });
    own.forEach(({ place }) => this.slots.give(place));
    const bound = [...values.map((id) => this.#bound(id, scope)), ...own];
    return kernels.map(({ kernel, buffers, ranges }) =>
      this.#dispatch(kernel, buffers.map((i) => ({ ...bound[i]!, ...ranges?.[i] })))
    );
  }

  #dispatch(kernel: WgslKernel, bound: readonly Bound[], check?: number): Dispatch {
    const { target, pipelines } = this.#engine;
    checkLimits(target, kernel, bound);
    const units = [...this.#within];
    const dispatch: Dispatch = { kind: "dispatch", kernel, bound, units, check, groups: new Map() };
    this.#pipelines.push(pipelines.get(kernel).then((found) => dispatch.pipeline = found));
    return dispatch;
  }

  /** A look at what a step reads: at once where that is constant. */
  #check(step: Step, scope: Scope): Instruction[] {
    const { graph, going } = scope;
    const check = checkOf(step, graph, graph !== this.graph);
    if (check === undefined) return [];
    if (check.path?.inputs.length === 0) {
      verifyOnHost(check, graph, []);
      return [];
    }
    const note = this.checks.push(check) - 1;
    const flags = check.flag === undefined ? [] : [check.flag];
    const bound = [
      ...[...check.values, ...flags].map((id) => this.#bound(id, scope)),
      ...going.map((place) => ({ place, bytes: 4 })),
      { place: this.notes, bytes: NOTE_BYTES * (note + 1) },
    ];
    return [this.#dispatch(checkKernel(check, going.length, note), bound, note)];
  }

  #host(step: Step, scope: Scope): HostStep[] {
    const { graph } = scope;
    this.hostSteps++;
    scope.planned.push({ unit: step, how: describeHost(step) });
    const inputs = step.inputs.map((id) => graph.constants.get(id) ?? this.#placeOf(id, scope));
    const output = this.#placeOf(step.output, scope);
    return [{ kind: "host", step, graph, units: [...this.#within], inputs, output }];
  }

  #loop(step: Step, { runs, results }: RowLoop, scope: Scope): Instruction[] {
    if (runs.some(({ ends, count }) => ends !== undefined && count > LOOK_EVERY)) this.hostSteps++;
    const bodies: PlannedUnit[][] = [];
    scope.planned.push({ unit: step, how: "", bodies });
    const { place: to } = this.#bound(step.output, scope);
    const { values, outputs } = runs[0]!.body;
    const zeros = results.flatMap(({ output, combine, start }) =>
      combine === "sum" ? zerosOf(to, 4 * start, values[outputs[output]!]!) : []
    );
    return [...zeros, ...runs.flatMap((run) => this.#run(run, results, step, scope, bodies))];
  }

  /** The blocks that are done by one body, which is added to `bodies`. */
  #run(
    { body, first, count, inputs, ends }: BlockRun,
    results: RowLoop["results"],
    step: Step,
    around: Scope,
    bodies: PlannedUnit[][],
  ): Instruction[] {
    const out = this.#bound(step.output, around);
    const take = (id: ValueId) => this.slots.take(this.#bytesOf(id, body));
    const moved = body.inputs.filter((_, i) => !isShared(inputs[i]!));
    const places = new Map(moved.map((id) => [id, take(id)]));
    const made = body.outputs.map(take);
    const own = [...places.values(), ...made];
    const [begin, rows, next, end]: [Copy[], Copy[], Copy[], Copy[]] = [[], [], [], []];
    body.inputs.forEach((id, i) => {
      if (body.constants.has(id)) return;
      const { from, start, step: stride, carry } = inputs[i]!;
      const outer = this.#placeOf(step.inputs[from]!, around);
      const place = places.get(id);
      if (place === undefined) return void places.set(id, outer);
      const spec = body.values[id]!;
      const fromStart = 4 * start;
      if (carry === undefined) {
        rows.push(...copyOf(outer, place, spec, { fromStart, fromStep: 4 * stride! }));
        return;
      }
      begin.push(...copyOf(outer, place, spec, { fromStart }));
      next.push(...copyOf(made[carry]!, place, spec));
      const result = results.find(({ output, combine }) => output === carry && combine === "last");
      if (result === undefined) return;
      end.push(...copyOf(place, out.place, spec, { toStart: 4 * result.start }));
    });
    const goesOn = ends === undefined ? undefined : places.get(body.inputs[ends]!)!;
    const going = goesOn === undefined ? around.going : [...around.going, goesOn];
    const [instructions, planned] = this.#sequence(body, places, going, made);
    bodies.push(planned);
    const turn = [
      ...rows,
      ...instructions,
      ...results.flatMap((result) => {
        const spec = body.values[body.outputs[result.output]!]!;
        return this.#combine(result, first, made[result.output]!, spec, out);
      }),
      ...next,
    ];
    own.forEach((place) => this.slots.give(place));
    return [...begin, { kind: "loop", count, body: turn, goesOn }, ...end];
  }

  /** Puts a block's result where it belongs, or adds it to those before. */
  #combine(
    { combine, start, step }: BlockResult,
    first: number,
    place: PlaceId,
    spec: Spec,
    out: Bound,
  ): Instruction[] {
    const size = sizeOf(spec.shape);
    if (size === 0 || combine === "last") return [];
    if (combine === "sum") {
      const kernel = accumulateKernel(deviceElement(spec.dtype), size, start);
      return [this.#dispatch(kernel, [{ place, bytes: 4 * size }, out])];
    }
    const toStart = 4 * (start + first * step);
    return copyOf(place, out.place, spec, { toStart, toStep: 4 * step });
  }

  /** How many bytes a value takes; throws where no buffer holds them. */
  #bytesOf(id: ValueId, graph: Graph): number {
    checkSize(graph, id, this.#engine.gpu.limits.maxBufferSize);
    return deviceBytes(graph.values[id]!.shape);
  }

  #bound(id: ValueId, scope: Scope): Bound {
    return { place: this.#placeOf(id, scope), bytes: deviceBytes(scope.graph.values[id]!.shape) };
  }

  /** Where a value lies; constants come to the device when they are first needed there. */
  #placeOf(id: ValueId, { graph, places, lifetimes }: Scope): PlaceId {
    const owner = lifetimes.ownerOf(id);
    const place = places.get(owner);
    if (place !== undefined) return place;
    const constant = graph.constants.get(owner)!;
    const known = this.constants.get(constant);
    if (known !== undefined) return known;
    const own = this.slots.add("own", deviceBytes(constant.shape));
    this.constants.set(constant, own);
    return own;
  }
}

/** Where a copy begins, for the first block, and how far it is to the next block's; 0 by default. */
type Stretch = Partial<Record<"fromStart" | "toStart" | "fromStep" | "toStep", number>>;

/** A copy of a value, unless there is nothing to copy. */
function copyOf(
  from: PlaceId,
  to: PlaceId,
  { shape }: Spec,
  { fromStart = 0, toStart = 0, fromStep = 0, toStep = 0 }: Stretch = {},
): Copy[] {
  const size = 4 * sizeOf(shape);
  const encode: Copy["encode"] = (encoder, buffers, block) => {
    const [source, target] = [buffers[from]!.gpu, buffers[to]!.gpu];
    const [first, last] = [fromStart + block * fromStep, toStart + block * toStep];
    encoder.copyBufferToBuffer(source, first, target, last, size);
  };
  return size === 0 ? [] : [{ kind: "copy", bytes: 2 * size, encode }];
}

/** Zeros in the place of a value, unless it has none. */
function zerosOf(to: PlaceId, start: number, { shape }: Spec): Copy[] {
  const bytes = 4 * sizeOf(shape);
  const encode: Copy["encode"] = (encoder, buffers) =>
    encoder.clearBuffer(buffers[to]!.gpu, start, bytes);
  return bytes === 0 ? [] : [{ kind: "copy", bytes, encode }];
}
