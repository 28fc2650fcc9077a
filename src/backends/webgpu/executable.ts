/**
 * Programs on a WebGPU device: everything of a call in one submission.
 *
 * @module
 */
import type { Executable } from "../../program/device.ts";
import { describeSource, type Measured, type Plan } from "../../program/explain.ts";
import { fromData, Tensor } from "../../tensor.ts";
import type { DeviceBuffer } from "./buffers.ts";
import type { Build } from "./build.ts";
import { throwNoted, verifyOnHost } from "./checks.ts";
import { Clock } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { planOf } from "./explain.ts";
import { Call, type CallBuffers, type HostStep, type PlaceId } from "./instructions.ts";
import type { Watched } from "./reads.ts";
import { DeviceSource, deviceTensor } from "./source.ts";

const PURPOSE = "run the program";
const WITH = `${PURPOSE} with`;

/** A graph on a device. */
export class WebGpuExecutable implements Executable {
  readonly #engine: Engine;
  readonly #build: Build;
  /** Buffers from call to call, by place; those of arguments are for what comes from the host. */
  readonly #own: (DeviceBuffer | undefined)[];
  /** What checks on the device have found. */
  readonly #notes: Watched;
  /** Arguments that passed the host's checks in the last call. */
  readonly #passed = new Map<number, readonly Tensor[]>();
  /** What came from the host in the last call, and is still there. */
  readonly #uploaded: (Tensor | undefined)[] = [];
  #before: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(engine: Engine, build: Build, own: readonly (DeviceBuffer | undefined)[]) {
    this.#engine = engine;
    this.#build = build;
    this.#own = [...own];
    for (const [{ data }, place] of build.constants) engine.write(own[place]!, data);
    const buffer = own[build.notes]!;
    const { bytes } = build.slots.places[build.notes]!;
    if (build.checks.length > 0) engine.write(buffer, new Int32Array(bytes / 4));
    this.#notes = { buffer, bytes, inspect: (words) => throwNoted(build.checks, words) };
  }

  /** Makes a graph ready; throws where a kernel cannot be compiled or memory is exhausted. */
  static async create(engine: Engine, build: Build): Promise<WebGpuExecutable> {
    await build.ready();
    const { places } = build.slots;
    const sizes = places.flatMap(({ kind, bytes }) => kind === "own" ? [bytes] : []);
    const buffers = (await engine.pool.allocate(sizes, PURPOSE)).values();
    const own = places.map(({ kind }) => kind === "own" ? buffers.next().value : undefined);
    return new WebGpuExecutable(engine, build, own);
  }

  async run(
    inputs: readonly Tensor[],
    donated: readonly boolean[],
    clock?: Clock,
  ): Promise<Tensor[]> {
    if (this.#build.hostSteps === 0) return await this.#run(inputs, donated, clock);
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
    const clock = new Clock(this.#engine);
    const call = async (own?: Clock) => {
      const results = await this.run(inputs, [], own);
      await this.#engine.gpu.queue.onSubmittedWorkDone();
      results.forEach((result) => result.dispose());
    };
    const start = performance.now();
    await call();
    const milliseconds = performance.now() - start;
    await call(clock);
    return { milliseconds, times: await clock.read() };
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
      if (buffer !== undefined && buffer !== this.#notes.buffer) pool.give(buffer);
    }
    reads.release(this.#notes);
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
    const results = await this.#allocate(this.#build.outputs);
    try {
      const buffers = this.#callBuffers(inputs, results);
      const call = new Call(engine, buffers, checked, clock);
      const played = call.play(this.#build.instructions);
      let goesOn = true;
      for (let next = played.next(); !next.done; next = played.next(goesOn)) {
        const { value: host } = next;
        // Everything before it is submitted.
        call.submit();
        if (host.kind === "loop") goesOn = await this.#goesOn(host.goesOn!, buffers, inputs);
        else {
          const start = performance.now();
          await this.#onHost(host, buffers, inputs);
          clock?.note(host, performance.now() - start);
        }
      }
      call.submit();
      if (checked.size < this.#build.checks.length) engine.reads.watch(this.#notes);
      inputs.forEach(({ source }, i) => {
        if (donated[i] && source instanceof DeviceSource) source.dispose("donated to a program");
      });
      await engine.keepPace();
    } catch (error) {
      results.forEach((buffer) => engine.pool.give(buffer));
      throw error;
    }
    const { outputs, values } = this.#build.graph;
    return outputs.map((id, i) => deviceTensor(engine, results[i]!, values[id]!));
  }

  /** Does what checks can be done on the host; returns their numbers. */
  #verify(inputs: readonly Tensor[]): Set<number> {
    const done = new Set<number>();
    this.#build.checks.forEach((check, number) => {
      const given = check.path?.inputs.map((i) => inputs[i]!);
      if (!given?.every(({ source }) => ArrayBuffer.isView(source))) return;
      done.add(number);
      const before = this.#passed.get(number);
      if (before?.every((x, i) => x === given[i])) return;
      verifyOnHost(check, this.#build.graph, inputs);
      this.#passed.set(number, given);
    });
    return done;
  }

  /** Buffers for arguments that come from the host, where they have none yet. */
  async #makeRoom(inputs: readonly Tensor[]): Promise<void> {
    const missing = this.#build.inputs.filter((place, i) =>
      this.#own[place] === undefined && !DeviceSource.isOf(inputs[i]!, this.#engine)
    );
    if (missing.length === 0) return;
    const buffers = await this.#allocate(missing);
    missing.forEach((place, i) => {
      if (!this.#disposed && this.#own[place] === undefined) this.#own[place] = buffers[i]!;
      else this.#engine.pool.give(buffers[i]!);
    });
  }

  #allocate(places: readonly PlaceId[]): Promise<DeviceBuffer[]> {
    const sizes = places.map((place) => this.#build.slots.places[place]!.bytes);
    return this.#engine.pool.allocate(sizes, PURPOSE);
  }

  /** The buffers of a call; what comes from the host is on its way to them. */
  #callBuffers(inputs: readonly Tensor[], results: readonly DeviceBuffer[]): CallBuffers {
    this.#checkDisposed();
    const buffers = [...this.#own];
    this.#build.outputs.forEach((place, i) => buffers[place] = results[i]!);
    this.#build.inputs.forEach((place, i) => {
      const x = inputs[i]!;
      if (DeviceSource.isOf(x, this.#engine)) buffers[place] = x.source.buffer(WITH);
      else if (this.#uploaded[i] !== x) {
        this.#engine.write(buffers[place]!, x.data);
        this.#uploaded[i] = x;
      }
    });
    return buffers as CallBuffers;
  }

  /** A step on the host: its inputs come from the device, its result goes there. */
  async #onHost(
    { step, graph, inputs, output }: HostStep,
    buffers: CallBuffers,
    given: readonly Tensor[],
  ): Promise<void> {
    const values = await Promise.all(inputs.map(async (x, i) => {
      if (x instanceof Tensor) return x;
      const spec = graph.values[step.inputs[i]!]!;
      return fromData(await this.#engine.reads.read(buffers[x]!, spec), spec.shape, spec.dtype);
    }));
    this.#checkAlive(given);
    const result = step.op.forward(values, step.params, graph.values[step.output]!);
    this.#engine.write(buffers[output]!, result);
  }

  /** Finds out whether a loop goes on. */
  async #goesOn(
    place: PlaceId,
    buffers: CallBuffers,
    given: readonly Tensor[],
  ): Promise<boolean> {
    const spec = { shape: [], dtype: "bool" } as const;
    const [goesOn] = await this.#engine.reads.read(buffers[place]!, spec);
    this.#checkAlive(given);
    return goesOn !== 0;
  }

  /** While the host waited, others may have disposed of what the rest of the call needs. */
  #checkAlive(given: readonly Tensor[]): void {
    this.#engine.check();
    this.#checkDisposed();
    for (const { source } of given) if (source instanceof DeviceSource) source.buffer(WITH);
  }
}
