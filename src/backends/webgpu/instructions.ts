/**
 * What a program does on a device: kernels, copies, loops, and steps that only the host can do.
 *
 * @module
 */
import type { WgslKernel } from "../../../kernels/wgsl/kernel.ts";
import type { Spec } from "../../op.ts";
import type { Step } from "../../program/graph.ts";
import type { Unit } from "../../program/passes/fuse.ts";
import type { Tensor } from "../../tensor.ts";
import type { DeviceBuffer } from "./buffers.ts";
import type { Clock } from "./clock.ts";
import type { Engine } from "./engine.ts";
import type { Pipeline } from "./pipelines.ts";

/** The number of a buffer of a program: its own, an argument's or a result's. */
export type PlaceId = number;

/** What a buffer of a program is for. */
export interface Place {
  /** Its own, from call to call; or given at each call: an argument's, a result's. */
  kind: "own" | "input" | "output";
  /** How many bytes it needs. */
  bytes: number;
}

/** Most argument and result buffers repeat, as those of a training step do: so many sets are kept. */
const KEPT_GROUPS = 8;

/** A kernel and its buffers. */
export class Dispatch {
  readonly kind = "dispatch";
  /** The unit that it is for, and the loops around it. */
  readonly units: readonly Unit[];
  /** The number of the check that it does, where the host has not done it before. */
  readonly check: number | undefined;
  /** What runs; it is there before the program runs. */
  pipeline: Pipeline | undefined;
  readonly #device: GPUDevice;
  readonly #kernel: WgslKernel;
  readonly #bound: readonly Bound[];
  readonly #groups = new Map<string, GPUBindGroup>();

  /** The buffers are in the order of the shader's bindings. */
  constructor(
    device: GPUDevice,
    kernel: WgslKernel,
    bound: readonly Bound[],
    units: readonly Unit[],
    check?: number,
  ) {
    this.units = units;
    this.check = check;
    this.#device = device;
    this.#kernel = kernel;
    this.#bound = bound;
  }

  /** How many bytes its buffers have. */
  get bytes(): number {
    return this.#bound.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Starts it. */
  start(pass: GPUComputePassEncoder, buffers: CallBuffers): void {
    pass.setPipeline(this.pipeline!.gpu);
    pass.setBindGroup(0, this.#bind(buffers));
    pass.dispatchWorkgroups(...this.#kernel.workgroups);
  }

  /** The binding of these buffers; one that was there before is kept. */
  #bind(buffers: CallBuffers): GPUBindGroup {
    const key = this.#bound.map(({ place }) => buffers[place]!.id).join();
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    if (this.#groups.size >= KEPT_GROUPS) this.#groups.clear();
    const group = this.#device.createBindGroup({
      label: this.#kernel.name,
      layout: this.pipeline!.layout,
      entries: this.#bound.map(({ place, offset = 0, bytes }, binding) => ({
        binding,
        resource: { buffer: buffers[place]!.gpu, offset, size: bytes },
      })),
    });
    this.#groups.set(key, group);
    return group;
  }
}

/** A buffer of a kernel, and what the kernel sees of it. */
export interface Bound {
  place: PlaceId;
  /** The first byte; 0 by default. */
  offset?: number;
  bytes: number;
}

/** Bytes from one buffer to another; in a loop, from block to block by steps. */
export interface Copy {
  kind: "copy";
  from: PlaceId;
  to: PlaceId;
  /** The first byte for the first block; 0 by default. */
  fromStart?: number;
  toStart?: number;
  /** From there to the first byte for the next block; 0 by default. */
  fromStep?: number;
  toStep?: number;
  bytes: number;
}

/** Zeros. */
export interface Clear {
  kind: "clear";
  to: PlaceId;
  start: number;
  bytes: number;
}

/** Instructions for one block after the other. */
export interface Loop {
  kind: "loop";
  count: number;
  body: readonly Instruction[];
  /** Where it says whether there is another block; blocks after the last one change nothing. */
  goesOn: PlaceId | undefined;
}

/** A look by the host whether a loop goes on. */
export interface Look {
  kind: "look";
  place: PlaceId;
  /** What the host finds. */
  goesOn: boolean;
}

/** So many blocks are done before the host looks whether there are more. */
export const LOOK_EVERY = 16;

/** A value and where it lies. */
export interface Placed {
  place: PlaceId;
  spec: Spec;
}

/** A step that is done on the host, between two submissions. */
export interface HostStep {
  kind: "host";
  step: Step;
  /** It, and the loops around it. */
  units: readonly Unit[];
  /** What it reads, by place; constants are at hand. */
  inputs: readonly (Placed | Tensor)[];
  output: Placed;
}

/** One thing after the other. */
export type Instruction = Dispatch | Copy | Clear | Loop | HostStep;

/** The buffers of a call, by place. */
export type CallBuffers = readonly DeviceBuffer[];

/** Commands that are written down until they are submitted. */
export class Commands {
  readonly #engine: Engine;
  readonly #clock: Clock | undefined;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;

  /** With a clock, each kernel has a pass of its own. */
  constructor(engine: Engine, clock?: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** The pass for a kernel. */
  pass(dispatch: Dispatch): GPUComputePassEncoder {
    if (this.#clock === undefined) return this.#pass ??= this.encoder.beginComputePass();
    const timestampWrites = this.#clock.writesFor(dispatch);
    return this.#pass = this.encoder.beginComputePass({ timestampWrites });
  }

  /** The encoder for everything else. */
  get encoder(): GPUCommandEncoder {
    this.#pass?.end();
    this.#pass = undefined;
    return this.#encoder ??= this.#engine.gpu.createCommandEncoder({ label: "program" });
  }

  /** Hands over what has been written down. */
  submit(): void {
    if (this.#encoder !== undefined) this.#engine.submit(this.encoder.finish());
    this.#encoder = undefined;
  }
}

/** Writes instructions down, and hands over at each step of the host and each look. */
export function* play(
  instructions: readonly Instruction[],
  buffers: CallBuffers,
  commands: Commands,
  checked: ReadonlySet<number>,
  block = 0,
): Generator<HostStep | Look, void> {
  for (const instruction of instructions) {
    switch (instruction.kind) {
      case "dispatch":
        if (instruction.check !== undefined && checked.has(instruction.check)) break;
        instruction.start(commands.pass(instruction), buffers);
        break;
      case "copy": {
        const { from, to, fromStart = 0, toStart = 0, fromStep = 0, toStep = 0 } = instruction;
        const [source, target] = [buffers[from]!.gpu, buffers[to]!.gpu];
        const [first, last] = [fromStart + block * fromStep, toStart + block * toStep];
        commands.encoder.copyBufferToBuffer(source, first, target, last, instruction.bytes);
        break;
      }
      case "clear": {
        const { to, start, bytes } = instruction;
        commands.encoder.clearBuffer(buffers[to]!.gpu, start, bytes);
        break;
      }
      case "loop": {
        const { count, body, goesOn } = instruction;
        for (let i = 0; i < count; i++) {
          if (goesOn !== undefined && i > 0 && i % LOOK_EVERY === 0) {
            const look: Look = { kind: "look", place: goesOn, goesOn: true };
            yield look;
            if (!look.goesOn) break;
          }
          yield* play(body, buffers, commands, checked, i);
        }
        break;
      }
      case "host":
        yield instruction;
    }
  }
}
