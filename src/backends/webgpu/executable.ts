/**
 * Programs on a WebGPU device: everything of a call in one submission.
 *
 * @module
 */
import { allocate } from "../../dtype.ts";
import type { Executable } from "../../program/device.ts";
import { describeSource, type Measured, type Plan } from "../../program/explain.ts";
import type { Graph } from "../../program/graph.ts";
import { sizeOf } from "../../shape.ts";
import { fromData, type Tensor } from "../../tensor.ts";
import type { DeviceBuffer } from "./buffers.ts";
import type { Build } from "./build.ts";
import { throwNoted, verifyOnHost } from "./checks.ts";
import { Clock } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { planOf } from "./explain.ts";
import { type CallBuffers, Commands, type HostStep, type Look, play } from "./instructions.ts";
import type { Watched } from "./reads.ts";
import { DeviceSource, deviceTensor } from "./source.ts";
import { deviceBytes, readValues } from "./device_layout.ts";

const PURPOSE = "run the program";
const WITH = `${PURPOSE} with`;

/** A graph on a device. */
export class WebGpuExecutable implements Executable {
  readonly #engine: Engine;
  readonly #build: Build;
  readonly #graph: Graph;
  /** Buffers from call to call, by place; those of arguments are for what comes from the host. */
  readonly #own: (DeviceBuffer | undefined)[];
  readonly #outputBytes: readonly number[];
  readonly #hasHostSteps: boolean;
  readonly #watched: Watched | undefined;
  /** Arguments that passed the host's checks in the last call. */
  readonly #passed = new Map<number, readonly Tensor[]>();
  /** What came from the host in the last call, and is still there. */
  readonly #uploaded: (Tensor | undefined)[] = [];
  #before: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(engine: Engine, build: Build, own: readonly (DeviceBuffer | undefined)[]) {
    this.#engine = engine;
    this.#build = build;
    this.#graph = build.graph;
    this.#own = [...own];
    this.#outputBytes = build.outputs.map((place) => build.slots.places[place]!.bytes);
    this.#hasHostSteps = build.hostSteps > 0;
    for (const [place, { data }] of build.constants) {
      engine.write(own[place]!, narrow(data));
    }
    this.#watched = this.#watchNotes();
  }

  /** Makes a graph ready; throws where a kernel cannot be compiled or memory is exhausted. */
  static async create(engine: Engine, build: Build): Promise<WebGpuExecutable> {
    await build.ready();
    const { places } = build.slots;
    const ids = [...places.keys()].filter((id) => places[id]!.kind === "own");
    const buffers = await engine.pool.allocate(ids.map((id) => places[id]!.bytes), PURPOSE);
    const own: (DeviceBuffer | undefined)[] = places.map(() => undefined);
    ids.forEach((id, i) => own[id] = buffers[i]!);
    return new WebGpuExecutable(engine, build, own);
  }

  async run(
    inputs: readonly Tensor[],
    donated: readonly boolean[],
    clock?: Clock,
  ): Promise<Tensor[]> {
    if (!this.#hasHostSteps) return await this.#run(inputs, donated, clock);
    // Steps of the host let other calls in between, which would use the same buffers.
    const result = this.#before.then(() => this.#run(inputs, donated, clock));
    this.#before = result.catch(() => {});
    return await result;
  }

  /** Bytes of the buffers that it keeps. */
  get bytes(): number {
    return this.#own.reduce((sum, buffer) => sum + (buffer?.bytes ?? 0), 0);
  }

  plan(): Plan {
    return planOf(this.#build, this.#engine.pipelines.count);
  }

  async measure(inputs: readonly Tensor[]): Promise<Measured> {
    const { gpu } = this.#engine;
    const clock = new Clock(gpu);
    const call = async (own?: Clock) => {
      const results = await this.run(inputs, [], own);
      await gpu.queue.onSubmittedWorkDone();
      results.forEach((result) => result.dispose());
    };
    const start = performance.now();
    await call();
    const milliseconds = performance.now() - start;
    await call(clock);
    return { milliseconds, times: this.#build.timesOf(await clock.read()) };
  }

  sources(): string[] {
    const kernels = Map.groupBy(this.#build.kernels, ({ code }) => code);
    return [...kernels].map(([code, made]) => describeSource(code, "//", made));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const { reads, pool } = this.#engine;
    reads.flush();
    for (const buffer of this.#own) {
      if (buffer !== undefined && buffer !== this.#watched?.buffer) pool.give(buffer);
    }
    if (this.#watched !== undefined) reads.release(this.#watched);
  }

  #checkDisposed(): void {
    if (!this.#disposed) return;
    throw new TypeError("Cannot run the program as it has been disposed of");
  }

  async #run(
    inputs: readonly Tensor[],
    donated: readonly boolean[],
    clock: Clock | undefined,
  ): Promise<Tensor[]> {
    const engine = this.#engine;
    engine.check();
    const checked = this.#verify(inputs);
    await this.#makeRoom(inputs);
    const results = engine.pool.reuse(this.#outputBytes) ??
      await engine.pool.allocate(this.#outputBytes, PURPOSE);
    try {
      const buffers = this.#callBuffers(inputs, results);
      for (const host of this.#play(buffers, (check) => checked.has(check), clock)) {
        if (host.kind === "look") await this.#look(host, buffers, inputs);
        else {
          const start = performance.now();
          await this.#onHost(host, buffers, inputs);
          clock?.note(host, performance.now() - start);
        }
      }
      this.#passOn(inputs, donated);
      await engine.keepPace();
    } catch (error) {
      results.forEach((buffer) => engine.pool.give(buffer));
      throw error;
    }
    return this.#graph.outputs.map((id, i) =>
      deviceTensor(engine, results[i]!, this.#graph.values[id]!)
    );
  }

  /** Records and submits; hands over at steps of the host, with everything before them submitted. */
  *#play(
    buffers: CallBuffers,
    isChecked: (check: number) => boolean,
    clock: Clock | undefined,
  ): Generator<HostStep | Look, void> {
    const engine = this.#engine;
    let commands: Commands | undefined;
    const current = () => commands ??= new Commands(engine.gpu, clock);
    const submit = () => {
      if (commands !== undefined) engine.submit(commands.finish());
      commands = undefined;
    };
    for (const host of play(this.#build.instructions, buffers, current, isChecked)) {
      submit();
      yield host;
    }
    submit();
    const { length } = this.#build.checks;
    const missed = Array.from({ length }, (_, i) => i).some((check) => !isChecked(check));
    if (missed) engine.reads.watch(this.#watched!);
  }

  /** Does what checks can be done on the host; returns their numbers. */
  #verify(inputs: readonly Tensor[]): Set<number> {
    const done = new Set<number>();
    this.#build.checks.forEach(({ check, path }, number) => {
      if (path === undefined) return;
      const given = path.inputs.map((i) => inputs[i]!);
      if (!given.every(({ source }) => ArrayBuffer.isView(source))) return;
      done.add(number);
      const before = this.#passed.get(number);
      if (before?.every((x, i) => x === given[i])) return;
      verifyOnHost(check, path, this.#graph, inputs);
      this.#passed.set(number, given);
    });
    return done;
  }

  /** Buffers for arguments that come from the host, where they have none yet. */
  async #makeRoom(inputs: readonly Tensor[]): Promise<void> {
    const missing = this.#build.inputs.filter((place, i) =>
      this.#own[place] === undefined && !this.#isHere(inputs[i]!)
    );
    if (missing.length === 0) return;
    const sizes = missing.map((place) => this.#build.slots.places[place]!.bytes);
    const buffers = await this.#engine.pool.allocate(sizes, PURPOSE);
    missing.forEach((place, i) => {
      if (!this.#disposed && this.#own[place] === undefined) this.#own[place] = buffers[i]!;
      else this.#engine.pool.give(buffers[i]!);
    });
  }

  #isHere(x: Tensor): x is Tensor & { source: DeviceSource } {
    return x.source instanceof DeviceSource && x.source.isOn(this.#engine);
  }

  /** The buffers of a call; what comes from the host is on its way to them. */
  #callBuffers(inputs: readonly Tensor[], results: readonly DeviceBuffer[]): CallBuffers {
    this.#checkDisposed();
    const buffers = [...this.#own];
    this.#build.outputs.forEach((place, i) => buffers[place] = results[i]!);
    this.#build.inputs.forEach((place, i) => {
      const x = inputs[i]!;
      if (this.#isHere(x)) buffers[place] = x.source.buffer(WITH);
      else if (this.#uploaded[i] !== x) {
        this.#engine.write(buffers[place]!, x.data);
        this.#uploaded[i] = x;
      }
    });
    return buffers as CallBuffers;
  }

  /** A step on the host: its inputs come from the device, its result goes there. */
  async #onHost(
    { step, inputs, output }: HostStep,
    buffers: CallBuffers,
    given: readonly Tensor[],
  ): Promise<void> {
    const { reads } = this.#engine;
    const values = await Promise.all(
      inputs.map(async ({ place, spec: { shape, dtype } }, i) => {
        const constant = this.#graph.constants.get(step.inputs[i]!);
        if (constant !== undefined && this.#build.constants.get(place) === constant) {
          return constant;
        }
        const size = sizeOf(shape);
        const words = await reads.read(buffers[place]!, deviceBytes(shape));
        return fromData(readValues(words, dtype, size), shape, dtype);
      }),
    );
    this.#checkAlive(given);
    const result = step.op.forward(values, step.params, output.spec);
    this.#engine.write(buffers[output.place]!, result);
  }

  /** Finds out whether a loop goes on. */
  async #look(look: Look, buffers: CallBuffers, given: readonly Tensor[]): Promise<void> {
    const words = await this.#engine.reads.read(buffers[look.place]!, deviceBytes([]));
    this.#checkAlive(given);
    look.goesOn = new Uint32Array(words)[0] !== 0;
  }

  /** While the host waited, others may have disposed of what the rest of the call needs. */
  #checkAlive(given: readonly Tensor[]): void {
    this.#engine.check();
    this.#checkDisposed();
    for (const { source } of given) if (source instanceof DeviceSource) source.buffer(WITH);
  }

  /** Gives the buffers of donated arguments to whoever needs one next. */
  #passOn(inputs: readonly Tensor[], donated: readonly boolean[]): void {
    inputs.forEach(({ source }, i) => {
      if (donated[i] && source instanceof DeviceSource) source.dispose("donated to a program");
    });
  }

  #watchNotes(): Watched | undefined {
    const { notes, checks } = this.#build;
    if (notes === undefined) return undefined;
    const buffer = this.#own[notes.place]!;
    this.#engine.write(buffer, new Int32Array(notes.bytes / 4));
    return {
      buffer,
      bytes: notes.bytes,
      inspect(words) {
        const noted = new Uint32Array(words);
        const found = checks.findIndex((_, i) => noted[2 * i] !== 0);
        if (found >= 0) throwNoted(checks[found]!.check, noted[2 * found]!, noted[2 * found + 1]!);
      },
    };
  }
}

/** Constants of float64 as the device has them. */
function narrow(data: Tensor["data"]): Tensor["data"] {
  if (!(data instanceof Float64Array)) return data;
  const narrowed = allocate("float32", data.length);
  (narrowed as Float32Array).set(data);
  return narrowed;
}
