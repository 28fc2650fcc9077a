/**
 * What a device is to `compile`: something that makes graphs ready to run.
 *
 * @module
 */
import type { Tensor } from "../tensor.ts";
import type { Measured, Plan } from "./explain.ts";
import type { Graph } from "./graph.ts";

/** A graph that is ready to run, again and again. */
export interface Executable {
  /** How many bytes it keeps from call to call. */
  readonly bytes: number;
  /** The outputs for these inputs; buffers of donated ones may be used for something else. */
  run(inputs: readonly Tensor[], donated: readonly boolean[]): Tensor[] | Promise<Tensor[]>;
  /** What it does. */
  plan(): Plan;
  /** Runs it once for these inputs, with a clock. */
  measure(inputs: readonly Tensor[]): Measured | Promise<Measured>;
  /** The kernels as text, and below which comments what they make. */
  sources(): string[];
  /** Frees what it holds. */
  dispose(): void;
}

/** A device that programs run on, as `webgpu()` gives one. */
export interface ProgramDevice {
  /** What the device is called. */
  readonly name: string;
  /**
   * Makes an optimized graph ready to run.
   *
   * @ignore
   */
  prepare(graph: Graph): Executable | Promise<Executable>;
  /**
   * Waits until what was made ready can run; `undefined` where there is nothing to wait for.
   *
   * @ignore
   */
  ready?(): Promise<void> | undefined;
}
