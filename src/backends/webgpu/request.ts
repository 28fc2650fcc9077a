/**
 * How to get a device: the adapter, its limits, and what to say where there is none.
 *
 * @module
 */
import { describe } from "../../describe.ts";
import { checkChoice, readOptions } from "../../options.ts";
import { type AdapterDescription, WebGpuDevice } from "./device.ts";
import type { WebGpuOptions } from "./mod.ts";

/** The limits that programs gain from; the others stay at their defaults. */
const LIMITS = [
  "maxBufferSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupStorageSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
] as const;

const NO_WEBGPU =
  "Cannot compute webgpu as this runtime has no WebGPU: use a current Deno, Chrome, " +
  "Edge, Safari or Firefox; pages must come from https or localhost";

const NO_ADAPTER =
  "Cannot compute webgpu as there is no adapter: install a driver for the graphics " +
  "card or, for a software adapter on Linux, the packages mesa-vulkan-drivers and libvulkan1; in " +
  "Chrome, chrome://gpu says what is missing and chrome://flags/#enable-unsafe-webgpu allows more";

const SOFTWARE = /llvmpipe|lavapipe|swiftshader|software|basic render/i;

/** A device with all that its adapter offers. */
export async function requestWebGpu(options: WebGpuOptions): Promise<WebGpuDevice> {
  const defaults = { powerPreference: undefined, adapter: undefined };
  const { powerPreference, adapter } = readOptions("webgpu", options, defaults);
  if (powerPreference !== undefined) {
    const choices = ["low-power", "high-performance"];
    checkChoice("webgpu", "powerPreference", powerPreference, choices);
  }
  const found = adapter === undefined ? await requestAdapter(powerPreference) : adapter;
  if (typeof (found as GPUAdapter | null)?.requestDevice !== "function") {
    throw new TypeError(
      `Cannot compute webgpu as adapter must be what await navigator.gpu.requestAdapter() gives: ` +
        `current value is ${describe(found)}`,
    );
  }
  return new WebGpuDevice(await requestDevice(found), describeAdapter(found));
}

async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const { features, limits } = adapter;
  try {
    return await adapter.requestDevice({
      requiredFeatures: features.has("timestamp-query") ? ["timestamp-query"] : [],
      requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, Number(limits[name])])),
    });
  } catch (error) {
    throw new Error(
      `Cannot compute webgpu as the adapter gives no device: request another adapter, as each ` +
        `gives one (${error instanceof Error ? error.message : String(error)})`,
      { cause: error },
    );
  }
}

async function requestAdapter(
  powerPreference: WebGpuOptions["powerPreference"],
): Promise<GPUAdapter> {
  const gpu: GPU | undefined = globalThis.navigator?.gpu;
  if (gpu === undefined) throw new Error(NO_WEBGPU);
  const adapter = await gpu.requestAdapter(powerPreference && { powerPreference });
  if (adapter === null) throw new Error(NO_ADAPTER);
  return adapter;
}

function describeAdapter(adapter: GPUAdapter): AdapterDescription {
  const { vendor, architecture, device, description } = adapter.info;
  const name = description ||
    [vendor, architecture, device].filter((part) => part !== "").join(" ");
  const { isFallbackAdapter } = adapter.info as { isFallbackAdapter?: boolean };
  return {
    name: name || "an adapter without a name",
    isSoftware: isFallbackAdapter === true || SOFTWARE.test(`${name} ${vendor} ${architecture}`),
  };
}
