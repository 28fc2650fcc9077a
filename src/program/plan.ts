/**
 * Where the values of a program lie in memory, so that few bytes serve for many values.
 *
 * @module
 */
import { BYTES } from "../dtype.ts";
import { sizeOf } from "../shape.ts";
import { castOp, reshapeOp } from "../ops/layout.ts";
import {
  clipGradientOp,
  debugGradientOp,
  gradientReversalOp,
  stopGradientOp,
} from "../ops/gradient.ts";
import type { Graph, Step, ValueId } from "./graph.ts";
import { isGroup, type Unit } from "./passes/fuse.ts";

/** Every value starts at a multiple of this many bytes: a vector register, and a cache line. */
const ALIGNMENT = 64;

/** Where values lie. */
export interface MemoryPlan {
  /** The first byte of every value that has a place. */
  offsets: ReadonlyMap<ValueId, number>;
  /** How many bytes there are in all. */
  bytes: number;
  /** The first byte of what kernels may write in between. */
  scratch: number;
  /** How many bytes values would take without sharing any. */
  unsharedBytes: number;
}

/** How many bytes a value takes. */
export function bytesOf(graph: Graph, id: ValueId): number {
  const { shape, dtype } = graph.values[id]!;
  return sizeOf(shape) * BYTES[dtype];
}

/** Steps whose result is their input's memory. */
export function isAlias({ op, inputs, output }: Step, graph: Graph): boolean {
  const same = graph.values[inputs[0]!]?.dtype === graph.values[output]!.dtype;
  return same && (op.isCheck === true || (ALIASES as readonly unknown[]).includes(op));
}

const ALIASES = [
  castOp,
  clipGradientOp,
  debugGradientOp,
  gradientReversalOp,
  reshapeOp,
  stopGradientOp,
] as const;

/** What a unit reads. */
export function readsOf(unit: Unit): readonly ValueId[] {
  return isGroup(unit) ? unit.operands : unit.inputs;
}

/** What a unit writes. */
export function writesOf(unit: Unit): readonly ValueId[] {
  return isGroup(unit)
    ? [...unit.stored, ...unit.reductions.map((step) => step.output)]
    : [unit.output];
}

/** A place for every value, reused after the last unit that reads it, and for scratch memory. */
export function planMemory(
  graph: Graph,
  units: readonly Unit[],
  scratchBytes = 0,
): MemoryPlan {
  const owner = new Map<ValueId, ValueId>();
  const ownerOf = (id: ValueId): ValueId => owner.get(id) ?? id;
  for (const unit of units) {
    if (!isGroup(unit) && isAlias(unit, graph)) owner.set(unit.output, ownerOf(unit.inputs[0]!));
  }
  const last = new Map<ValueId, number>();
  units.forEach((unit, i) => readsOf(unit).forEach((id) => last.set(ownerOf(id), i)));
  for (const id of [...graph.outputs, ...graph.inputs, ...graph.constants.keys()]) {
    last.set(ownerOf(id), Infinity);
  }

  const heap = new Heap();
  const offsets = new Map<ValueId, number>();
  let unsharedBytes = 0;
  const place = (id: ValueId) => {
    unsharedBytes += align(bytesOf(graph, id));
    offsets.set(id, heap.take(bytesOf(graph, id)));
  };
  [...graph.constants.keys(), ...graph.inputs].forEach(place);
  units.forEach((unit, i) => {
    for (const id of writesOf(unit)) {
      if (ownerOf(id) === id) place(id);
      else offsets.set(id, offsets.get(ownerOf(id))!);
    }
    const ended = new Set([...readsOf(unit), ...writesOf(unit)].map(ownerOf));
    for (const id of ended) {
      if ((last.get(id) ?? -1) <= i) heap.give(offsets.get(id)!, bytesOf(graph, id));
    }
  });
  const scratch = heap.size;
  return { offsets, bytes: scratch + align(scratchBytes), scratch, unsharedBytes };
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
    let best: { start: number; length: number } | undefined;
    for (const hole of this.#free) {
      if (hole.length >= length && (best === undefined || hole.length < best.length)) best = hole;
    }
    if (best === undefined) {
      const start = this.size;
      this.size += length;
      return start;
    }
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
