/**
 * What a program does on a device: kernels, copies, loops, and steps that only the host can do.
 *
 * @module
 */
import type { WgslKernel } from "../../../kernels/wgsl/kernel.ts";
import type { Graph, Step } from "../../program/graph.ts";
import type { Unit } from "../../program/passes/fuse.ts";
import type { Tensor } from "../../tensor.ts";
import type { DeviceBuffer } from "./buffers.ts";
import type { Clock } from "./clock.ts";
import type { Engine } from "./engine.ts";

/** The number of a buffer of a program: its own, an argument's or a result's. */
export type PlaceId = number;

/** What a buffer of a program is for. */
export interface Place {
  /** Its own, from call to call; or given at each call: an argument's, a result's. */
  kind: "own" | "input" | "output";
  /** How many bytes it needs. */
  bytes: number;
}

/** A buffer of a kernel, and what the kernel sees of it. */
export interface Bound {
  place: PlaceId;
  /** The first byte; 0 by default. */
  offset?: number;
  bytes: number;
}

/** A kernel and its buffers. */
export interface Dispatch {
  kind: "dispatch";
  kernel: WgslKernel;
  /** Its buffers, in the order of the shader's bindings. */
  bound: readonly Bound[];
  /** The unit that it is for, and the loops around it. */
  units: readonly Unit[];
  /** The number of the check that it does, where the host has not done it before. */
  check: number | undefined;
  /** What runs; it is there before the program runs. */
  pipeline?: GPUComputePipeline;
  /** What its buffers were bound to before, by these. */
  groups: Map<string, GPUBindGroup>;
}

/** A copy from one buffer to another, or zeros. */
export interface Copy {
  kind: "copy";
  /** How many bytes it reads and writes. */
  bytes: number;
  /** Writes it down for a block of the loop around it, or for the only time. */
  encode(encoder: GPUCommandEncoder, buffers: CallBuffers, block: number): void;
}

/** Instructions for one block after the other. */
export interface Loop {
  kind: "loop";
  count: number;
  body: readonly Instruction[];
  /** Where it says whether there is another block; blocks after the last one change nothing. */
  goesOn: PlaceId | undefined;
}

/** So many blocks are done before the host looks whether there are more. */
export const LOOK_EVERY = 16;

/** A step that is done on the host, between two submissions. */
export interface HostStep {
  kind: "host";
  step: Step;
  graph: Graph;
  /** It, and the loops around it. */
  units: readonly Unit[];
  /** What it reads, by place; constants are at hand. */
  inputs: readonly (PlaceId | Tensor)[];
  output: PlaceId;
}

/** One thing after the other. */
export type Instruction = Dispatch | Copy | Loop | HostStep;

/** The buffers of a call, by place. */
export type CallBuffers = readonly DeviceBuffer[];

/** Most argument and result buffers repeat, as those of a training step do: so many sets are kept. */
const KEPT_GROUPS = 8;

/** A call: instructions are written down, until they are submitted. */
export class Call {
  readonly #engine: Engine;
  readonly #buffers: CallBuffers;
  readonly #checked: ReadonlySet<number>;
  readonly #clock: Clock | undefined;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;

  /** Some checks are done already. With a clock, each kernel has a pass of its own. */
  constructor(
    engine: Engine,
    buffers: CallBuffers,
    checked: ReadonlySet<number>,
    clock: Clock | undefined,
  ) {
    this.#engine = engine;
    this.#buffers = buffers;
    this.#checked = checked;
    this.#clock = clock;
  }

  /**
   * Writes instructions down, and hands over at each step of the host, and at each loop of which the
   * host must tell whether it goes on.
   */
  *play(
    instructions: readonly Instruction[],
    block = 0,
  ): Generator<HostStep | Loop, void, boolean> {
    for (const instruction of instructions) {
      switch (instruction.kind) {
        case "dispatch":
          if (!this.#checked.has(instruction.check ?? -1)) this.#start(instruction);
          break;
        case "copy":
          instruction.encode(this.#commands, this.#buffers, block);
          break;
        case "loop": {
          const { count, body, goesOn } = instruction;
          for (let i = 0; i < count; i++) {
            const looks = goesOn !== undefined && i > 0 && i % LOOK_EVERY === 0;
            if (looks && !(yield instruction)) break;
            yield* this.play(body, i);
          }
          break;
        }
        case "host":
          yield instruction;
      }
    }
  }

  /** Hands over what has been written down. */
  submit(): void {
    if (this.#encoder !== undefined) this.#engine.submit(this.#commands.finish());
    this.#encoder = undefined;
  }

  /** The encoder for everything but kernels. */
  get #commands(): GPUCommandEncoder {
    this.#pass?.end();
    this.#pass = undefined;
    return this.#encoder ??= this.#engine.gpu.createCommandEncoder({ label: "program" });
  }

  #start(dispatch: Dispatch): void {
    if (this.#clock === undefined) this.#pass ??= this.#commands.beginComputePass();
    else {
      const timestampWrites = this.#clock.writesFor(dispatch);
      this.#pass = this.#commands.beginComputePass({ timestampWrites });
    }
    this.#pass.setPipeline(dispatch.pipeline!);
    this.#pass.setBindGroup(0, this.#bind(dispatch));
    this.#pass.dispatchWorkgroups(...dispatch.kernel.workgroups);
  }

  /** The binding of the call's buffers; one that was there before is kept. */
  #bind({ kernel, bound, pipeline, groups }: Dispatch): GPUBindGroup {
    const buffers = bound.map(({ place }) => this.#buffers[place]!);
    const key = buffers.map(({ id }) => id).join();
    const known = groups.get(key);
    if (known !== undefined) return known;
    if (groups.size >= KEPT_GROUPS) groups.clear();
    const group = this.#engine.gpu.createBindGroup({
      label: kernel.name,
      layout: pipeline!.getBindGroupLayout(0),
      entries: bound.map(({ offset = 0, bytes }, binding) => ({
        binding,
        resource: { buffer: buffers[binding]!.gpu, offset, size: bytes },
      })),
    });
    groups.set(key, group);
    return group;
  }
}
