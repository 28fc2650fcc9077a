/**
 * Where the values of a program lie in memory, so that few bytes serve for many values.
 *
 * @module
 */
import { BYTES } from "../dtype.ts";
import { sizeOf } from "../shape.ts";
import { isAlias } from "./alias.ts";
import type { Graph, Step, ValueId } from "./graph.ts";
import { isGroup, type Unit } from "./passes/fuse.ts";
import { type BlockRun, isShared, loopIn } from "./row_blocks.ts";

/** Every value starts at a multiple of this many bytes: a vector register, and a cache line. */
const ALIGNMENT = 64;

/** What is done for a graph, the program's or that of a loop's body, and where its values lie. */
export interface MemoryPlan {
  /** The graph. */
  graph: Graph;
  /** What is done, in order. */
  units: readonly Unit[];
  /** The first byte of every value that has a place. */
  offsets: ReadonlyMap<ValueId, number>;
  /** Values that are inputs from outside, or the same memory: which input. */
  outside: ReadonlyMap<ValueId, ValueId>;
  /** How many bytes there are in all. */
  bytes: number;
  /** How many bytes values would take without sharing any. */
  unsharedBytes: number;
  /** The bodies of the steps that are loops, in the order of their runs. */
  bodies: ReadonlyMap<Step, readonly MemoryPlan[]>;
  /** Its first byte in the memory around it. */
  at: number;
  /** Carries and what they become, which change places after every turn instead of being copied. */
  swaps: readonly (readonly [carry: ValueId, next: ValueId])[];
}

/** Smaller carries are copied. */
const SMALLEST_SWAP = 4096;

/** How many bytes a value takes. */
export function bytesOf(graph: Graph, id: ValueId): number {
  const { shape, dtype } = graph.values[id]!;
  return sizeOf(shape) * BYTES[dtype];
}

/** What a unit reads. */
export function readsOf(unit: Unit): readonly ValueId[] {
  return isGroup(unit) ? [...new Set(unit.reads.values().map(({ root }) => root))] : unit.inputs;
}

/** What a unit writes. */
export function writesOf(unit: Unit): readonly ValueId[] {
  return isGroup(unit) ? unit.outputs : [unit.output];
}

/** Which values share memory, and how long each is needed. */
export class Lifetimes {
  readonly #owners = new Map<ValueId, ValueId>();
  readonly #ending: ReadonlyMap<number, readonly ValueId[]>;

  constructor(graph: Graph, units: readonly Unit[]) {
    for (const unit of units) {
      if (isGroup(unit) || !isAlias(unit, graph)) continue;
      this.#owners.set(unit.output, this.ownerOf(unit.inputs[0]!));
    }
    const last = new Map<ValueId, number>();
    units.forEach((unit, i) => {
      for (const id of [...readsOf(unit), ...writesOf(unit)]) last.set(this.ownerOf(id), i);
    });
    for (const id of [...graph.outputs, ...graph.inputs, ...graph.constants.keys()]) {
      last.delete(this.ownerOf(id));
    }
    this.#ending = Map.groupBy(last.keys(), (id) => last.get(id)!);
  }

  /** The value whose memory another is. */
  ownerOf(id: ValueId): ValueId {
    return this.#owners.get(id) ?? id;
  }

  /** Values that nothing needs after a unit: neither arguments, constants nor results. */
  endingAt(unit: number): readonly ValueId[] {
    return this.#ending.get(unit) ?? [];
  }
}

/**
 * A place for every value but the inputs from outside, reused after the last unit that reads it: of
 * the body of a loop where a run is given, whose blocks share those inputs.
 */
export function planMemory(
  graph: Graph,
  partition: (graph: Graph) => readonly Unit[],
  run?: BlockRun,
): MemoryPlan {
  const units = partition(graph);
  const lifetimes = new Lifetimes(graph, units);
  const heap = new Heap();
  const offsets = new Map<ValueId, number>();
  const shared = graph.inputs.filter((_, i) => run !== undefined && isShared(run.inputs[i]!));
  const outside = new Map<ValueId, ValueId>(shared.map((id) => [id, id]));
  const swaps = run === undefined ? [] : swapsOf(run, units, lifetimes);
  const bodies = new Map<Step, MemoryPlan[]>();
  let unsharedBytes = 0;
  const place = (id: ValueId) => {
    if (outside.has(id) || offsets.has(id)) return;
    unsharedBytes += align(bytesOf(graph, id));
    offsets.set(id, heap.take(bytesOf(graph, id)));
  };
  [...graph.constants.keys(), ...graph.inputs, ...swaps.map(([, next]) => next)].forEach(place);
  units.forEach((unit, i) => {
    for (const id of writesOf(unit)) {
      const own = lifetimes.ownerOf(id);
      if (own === id) place(id);
      else if (outside.has(own)) outside.set(id, own);
      else offsets.set(id, offsets.get(own)!);
    }
    const loop = isGroup(unit) ? undefined : loopIn(unit);
    if (loop !== undefined) {
      // Bodies run one after the other, in memory that is free for others before and after.
      const plans = loop.runs.map((own) => planMemory(own.body, partition, own));
      const bytes = Math.max(...plans.map((plan) => plan.bytes));
      const at = heap.take(bytes);
      heap.give(at, bytes);
      unsharedBytes += Math.max(...plans.map((plan) => plan.unsharedBytes));
      bodies.set(unit as Step, plans.map((plan) => ({ ...plan, at })));
    }
    for (const id of lifetimes.endingAt(i)) heap.give(offsets.get(id)!, bytesOf(graph, id));
  });
  return { graph, units, offsets, outside, bytes: heap.size, unsharedBytes, bodies, at: 0, swaps };
}

/** Large carries that become what a unit makes, each something else. */
function swapsOf(
  { body, inputs }: BlockRun,
  units: readonly Unit[],
  lifetimes: Lifetimes,
): MemoryPlan["swaps"] {
  const made = new Set(units.flatMap(writesOf));
  const taken = new Set<ValueId>();
  return body.inputs.flatMap((id, i) => {
    const { carry } = inputs[i]!;
    if (carry === undefined || bytesOf(body, id) < SMALLEST_SWAP) return [];
    const next = lifetimes.ownerOf(body.outputs[carry]!);
    const isFree = made.has(next) && !taken.has(next) && bytesOf(body, next) === bytesOf(body, id);
    taken.add(next);
    return isFree ? [[id, next] as const] : [];
  });
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Free stretches of memory, in order; the smallest that is large enough is taken. */
class Heap {
  size = 0;
  #free: { start: number; length: number }[] = [];

  take(bytes: number): number {
    const length = align(bytes);
    const holes = this.#free.filter((hole) => hole.length >= length);
    if (holes.length === 0) {
      this.size += length;
      return this.size - length;
    }
    const best = holes.reduce((a, b) => b.length < a.length ? b : a);
    const { start } = best;
    best.start += length;
    best.length -= length;
    return start;
  }

  give(start: number, bytes: number): void {
    const length = align(bytes);
    const holes = [...this.#free, { start, length }].filter((hole) => hole.length > 0)
      .sort((a, b) => a.start - b.start);
    this.#free = [];
    for (const hole of holes) {
      const before = this.#free.at(-1);
      if (before !== undefined && before.start + before.length === hole.start) {
        before.length += hole.length;
      } else this.#free.push(hole);
    }
  }
}
