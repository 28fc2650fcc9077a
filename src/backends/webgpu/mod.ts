/**
 * WebGPU: programs whose values stay on the graphics card.
 *
 * @module
 */
import { refuseMore } from "../../options.ts";
import type { HostGpuAdapter, WebGpuDevice } from "./device.ts";

export type {
  AdapterDescription,
  HostGpuAdapter,
  HostGpuDevice,
  WebGpuCounters,
  WebGpuDevice,
} from "./device.ts";

/** Options of {@linkcode webgpu}. */
export interface WebGpuOptions {
  /** Which adapter to ask for where there are several; the runtime's choice by default. */
  powerPreference?: "low-power" | "high-performance" | undefined;
  /** An adapter that was requested already; `powerPreference` plays no part then. */
  adapter?: HostGpuAdapter | undefined;
}

/**
 * A WebGPU device for {@linkcode compile}: programs run on it as a whole, and what they return stays
 * there until `await t.read()` copies it out. It computes in float32, int32 and bool.
 *
 * The device has all that its adapter offers: the largest bindings, the most buffers per kernel. It
 * is freed by `await using`, or `dispose()`, with all tensors on it. When it is lost, by a driver's
 * crash or an unplugged card, calls and reads throw; tensors on the host survive, and another call of
 * `webgpu` gives another device.
 *
 * @param options `powerPreference` and `adapter`.
 * @returns The device.
 * @throws {TypeError} If an option does not exist or has no such value.
 * @throws {Error} If there is no WebGPU or no adapter; the message says how to get one.
 *
 * @example A program on the device, where there is one
 * ```ts
 * import { compile, type Tensor, tensor, webgpu } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const adapter = await navigator.gpu?.requestAdapter();
 * if (adapter) {
 *   await using gpu = await webgpu({ adapter });
 *   const double = (x: Tensor) => x.mul(2);
 *   await using program = await compile(double, [[1, 2]], { device: gpu });
 *   const once = await program(tensor([1, 2]));
 *   const twice = await program(once);
 *   assertEquals(Array.from(await twice.read()), [4, 8]);
 * }
 * ```
 */
export async function webgpu(options: WebGpuOptions = {}): Promise<WebGpuDevice> {
  if (arguments.length > 1) refuseMore("webgpu", "options", 1, arguments);
  const { requestWebGpu } = await import("./request.ts");
  return requestWebGpu(options);
}
