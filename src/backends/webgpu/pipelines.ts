/**
 * Pipelines: each shader is compiled once, and says what is wrong with it by name and line.
 *
 * @module
 */
import type { WgslKernel } from "../../../kernels/wgsl/kernel.ts";

/** The most that are kept for programs to come; a program holds on to its own. */
export const MOST_PIPELINES = 512;

/** The pipelines of a device. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #known = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** How many are kept. */
  get count(): number {
    return this.#known.size;
  }

  /** The pipeline of a kernel. What cannot be compiled is not kept, nor what was asked for long ago. */
  get(kernel: WgslKernel): Promise<GPUComputePipeline> {
    const { code } = kernel;
    const known = this.#known.get(code) ?? this.#compile(kernel);
    this.#known.delete(code);
    this.#known.set(code, known);
    if (this.#known.size > MOST_PIPELINES) this.#known.delete(this.#known.keys().next().value!);
    known.catch(() => {
      if (this.#known.get(code) === known) this.#known.delete(code);
    });
    return known;
  }

  async #compile({ name, code, inputs, outputs }: WgslKernel): Promise<GPUComputePipeline> {
    const device = this.#device;
    device.pushErrorScope("internal");
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ code, label: name });
    const entries = Array.from({ length: inputs + outputs }, (_, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: binding < inputs ? "read-only-storage" as const : "storage" as const },
    }));
    const bindGroupLayouts = [device.createBindGroupLayout({ entries })];
    const pipeline = device.createComputePipeline({
      label: name,
      layout: device.createPipelineLayout({ bindGroupLayouts }),
      compute: { module, entryPoint: "main" },
    });
    const [invalid, internal] = await Promise.all([device.popErrorScope(), device.popErrorScope()]);
    const error = invalid ?? internal;
    if (error !== null) throw await explainShader(name, code, module, error.message);
    return pipeline;
  }
}

/** The error of a shader: what is wrong, and in which line. */
async function explainShader(
  name: string,
  code: string,
  module: GPUShaderModule,
  message: string,
): Promise<Error> {
  const { messages } = await module.getCompilationInfo();
  const found = messages.find(({ type }) => type === "error");
  const line = found === undefined ? undefined : code.split("\n")[found.lineNum - 1];
  const place = found === undefined || line === undefined
    ? ""
    : ` in line ${found.lineNum} of its shader, "${line.trim()}"`;
  return new Error(
    `Cannot compile the kernel "${name}" for WebGPU${place}: ${(found?.message ?? message).trim()}`,
  );
}
