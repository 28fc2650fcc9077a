/** The device that an example trains on. */
import type { CompileOptions } from "@cellgrad/cellgrad";
import { UsageError } from "../arguments.ts";

/** What `compile` accepts as `device`. */
export type TrainingDevice = NonNullable<CompileOptions["device"]>;

/** An open device: `await using` gives it back. */
export interface OpenDevice extends AsyncDisposable {
  /** For `compile`. */
  device: TrainingDevice;
}

/** Opens a device by name; throws `UsageError` where this machine has none. */
export async function openDevice(name: "cpu" | "webgpu"): Promise<OpenDevice> {
  if (name === "cpu") return { device: "cpu", [Symbol.asyncDispose]: () => Promise.resolve() };
  const { webgpu } = await import("@cellgrad/cellgrad");
  try {
    const device = await webgpu();
    return { device, [Symbol.asyncDispose]: () => device[Symbol.asyncDispose]() };
  } catch (error) {
    throw new UsageError(`Option --device cannot be webgpu: ${(error as Error).message}`);
  }
}
