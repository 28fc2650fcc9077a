/**
 * A WebGPU device as users see it.
 *
 * @module
 */
import type { AwaitUsingDisposable } from "../../disposal.ts";
import type { Executable, ProgramDevice } from "../../program/device.ts";
import type { Graph } from "../../program/graph.ts";
import { flattenTree, type TensorTree } from "../../tree.ts";
import { Build } from "./build.ts";
import { Engine } from "./engine.ts";
import { WebGpuExecutable } from "./executable.ts";
import { DeviceSource, deviceTensor } from "./source.ts";
import { deviceBytes } from "./device_layout.ts";

/** `GPUAdapter` where TypeScript knows `navigator.gpu`, else what is needed of one. */
export type HostGpuAdapter = typeof globalThis extends
  { navigator: { gpu: { requestAdapter(): Promise<infer A> } } } ? NonNullable<A>
  : { requestDevice(): Promise<unknown> };

/** `GPUDevice` where TypeScript knows `navigator.gpu`, else what is needed of one. */
export type HostGpuDevice = Awaited<ReturnType<HostGpuAdapter["requestDevice"]>> extends
  infer D extends { lost: Promise<unknown> } ? D : { readonly lost: Promise<unknown> };

/** An adapter in words. */
export interface AdapterDescription {
  /** The graphics card, or the driver that plays one. */
  readonly name: string;
  /** Whether the processor plays the graphics card: right, and slow. */
  readonly isSoftware: boolean;
}

/** What a device has done, and what it holds. */
export interface WebGpuCounters {
  /** Buffers that tensors and programs hold. */
  readonly buffers: number;
  /** Buffers that are kept for later. */
  readonly freeBuffers: number;
  /** Bytes of all of these. */
  readonly bytes: number;
  /** Compiled kernels that are kept for programs to come, at most 512. */
  readonly pipelines: number;
  /** How many times commands were handed to the device. */
  readonly submissions: number;
  /** How many times values of a tensor were copied to the device. */
  readonly uploads: number;
  /** How many times values came back to the host. */
  readonly readBacks: number;
}

/**
 * A WebGPU device, made by `webgpu`. Give it to {@linkcode compile} as `device`.
 *
 * @example Values that stay on the device
 * ```ts
 * import { compile, type Tensor, tensor, webgpu } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const adapter = await navigator.gpu?.requestAdapter();
 * if (adapter) {
 *   await using gpu = await webgpu({ adapter });
 *   const cells = await gpu.put(tensor([[3, 4]]));
 *   const norm = (x: Tensor) => x.square().sum().sqrt();
 *   await using program = await compile(norm, [cells], { device: gpu });
 *   assertEquals(Array.from(await (await program(cells)).read()), [5]);
 * }
 * ```
 */
export class WebGpuDevice implements ProgramDevice {
  /** The adapter's name. */
  readonly name: string;
  /** Whether the processor plays the graphics card. */
  readonly isSoftware: boolean;
  /** The device itself, for what this library does not do. */
  readonly device: HostGpuDevice;
  /** Fulfilled when the device is lost, or was disposed of. */
  readonly lost: HostGpuDevice["lost"];
  readonly #engine: Engine;

  /**
   * Use `webgpu`, which requests a device with all that its adapter offers.
   *
   * @ignore
   */
  constructor(device: HostGpuDevice, { name, isSoftware }: AdapterDescription) {
    this.name = name;
    this.isSoftware = isSoftware;
    this.device = device;
    this.lost = device.lost;
    this.#engine = new Engine(device, { isSoftware });
  }

  /** What the device has done so far, and what it holds. */
  get counters(): WebGpuCounters {
    const { pool, pipelines, counts } = this.#engine;
    const { used, count, bytes } = pool;
    const own = { buffers: used, freeBuffers: count - used, bytes, pipelines: pipelines.count };
    return { ...own, ...counts };
  }

  /**
   * Copies tensors to the device, so that programs find them there at every call.
   *
   * @param tree A tensor, or arrays and plain objects of tensors; float32, int32 or bool.
   * @returns The same tree of tensors on the device.
   * @throws {TypeError} If a tensor is float64, or on another device.
   * @throws {RangeError} If the device's memory is exhausted.
   */
  async put<T>(tree: T): Promise<TensorTree<T>> {
    const engine = this.#engine;
    engine.check();
    const { leaves, rebuild } = flattenTree("put", tree);
    if (leaves.some(({ dtype }) => dtype === "float64")) {
      throw new TypeError(
        "Cannot compute put as WebGPU has no float64: cast the tensor to float32",
      );
    }
    const away = new Map(
      leaves.filter((x) => !DeviceSource.isOf(x, engine)).map((x) => [x, x.data]),
    );
    const sizes = [...away.keys()].map(({ shape }) => deviceBytes(shape));
    const buffers = await engine.pool.allocate(sizes, "compute put");
    const moved = new Map([...away].map(([x, data], i) => {
      engine.write(buffers[i]!, data);
      return [x, deviceTensor(engine, buffers[i]!, x)];
    }));
    return rebuild(leaves.map((x) => moved.get(x) ?? x)) as TensorTree<T>;
  }

  /**
   * Makes an optimized graph ready to run.
   *
   * @ignore
   */
  async prepare(graph: Graph): Promise<Executable> {
    this.#engine.check();
    return await WebGpuExecutable.create(this.#engine, new Build(graph, this.#engine));
  }

  /** Frees everything on the device; programs and tensors on it throw from then on. */
  dispose(): void {
    this.#engine.dispose();
  }

  static {
    Object.defineProperty(this.prototype, Symbol.asyncDispose, {
      async value(this: WebGpuDevice) {
        this.dispose();
        await this.lost;
      },
    });
  }
}

/** A device is freed at the end of the block that declares it by `await using`. */
export interface WebGpuDevice extends AwaitUsingDisposable {}
