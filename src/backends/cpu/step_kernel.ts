/**
 * Steps that are one function of WebAssembly each, which reads and writes the program's memory.
 *
 * @module
 */
import type { LoopSpec } from "../../../kernels/elementwise/passes.ts";
import type { Parameters, WasmFunction } from "../../../kernels/wasm/code.ts";
import type { ModuleBuilder } from "../../../kernels/wasm/module.ts";
import type { ValueId } from "../../program/graph.ts";
import type { Tensor } from "../../tensor.ts";

/** The arguments of one call after the other. */
export type Calls = readonly (readonly number[])[];

/** Visits the arguments of the calls for some slices. */
export type WalkCalls = (range: SliceRange, visit: (numbers: readonly number[]) => void) => void;

/** What runs a step, or several, in slices that threads may share. */
export interface StepKernel {
  /** Steps of equal keys need the same function. */
  readonly key: string;
  /** Adds the function to a module. */
  readonly emit: (module: ModuleBuilder) => WasmFunction<Parameters, null>;
  /** What it does, if it is a loop. */
  readonly loop?: LoopSpec | undefined;
  /** Values that must be looked at before each run. */
  readonly verified?: readonly Verified[] | undefined;
  /** Bytes that it may write in between, a multiple of 64. */
  readonly scratchBytes: number;
  /** Slices that do not depend on each other. */
  readonly slices: number;
  /** Nanoseconds for all slices, by a rough estimate. */
  readonly nanoseconds: number;
  /** The calls for some slices, by the places of all values and of the scratch memory. */
  readonly calls: (range: SliceRange, places: Places) => Calls;
  /** Visits the same, where they are too many to be kept. */
  readonly walk?: ((places: Places) => WalkCalls) | undefined;
}

/** Slices: the first, and the one after the last. */
export type SliceRange = readonly [from: number, to: number];

/** Where values and scratch memory lie. */
export interface Places {
  /** The first byte of every value. */
  offsets: ReadonlyMap<ValueId, number>;
  /** The first byte of the scratch memory. */
  scratch: number;
}

/** Values that may not be what is allowed. */
export interface Verified {
  ids: readonly ValueId[];
  /** Throws where they are not. */
  verify: (...values: Tensor[]) => void;
}

/** A part for each thread; `undefined` where it is best or necessary to stay on one. */
export function splitCalls(
  work: StepKernel,
  { offsets, scratch }: Places,
  threads: number,
  smallestNs: number,
): Calls[] | undefined {
  if (work.nanoseconds < smallestNs || work.slices < 2) return undefined;
  const bound = (i: number) => Math.round(work.slices * i / threads);
  return Array.from({ length: threads }, (_, i) => {
    const range = [bound(i), bound(i + 1)] as const;
    const places = { offsets, scratch: scratch + i * work.scratchBytes };
    return range[0] < range[1] ? work.calls(range, places) : [];
  });
}
