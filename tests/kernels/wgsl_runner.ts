/**
 * Runs WGSL kernels on whatever adapter there is, many per submission, and reads their outputs back.
 *
 * @module
 */
import { planOf, type WgslKernel, type WgslPlan } from "../../kernels/wgsl/kernel.ts";

/** Elements as buffers have them; `bool` is a `Uint32Array`. */
export type Words = Float32Array | Int32Array | Uint32Array;

/** An operation to run. */
export interface Job {
  /** What to run. */
  plan: WgslPlan | WgslKernel;
  /** The values that it reads. */
  inputs: readonly Words[];
  /** Where results go; what is in them is there before the kernels run, too. */
  outputs: readonly Words[];
}

const isMissing = (await navigator.gpu?.requestAdapter() ?? null) === null;

/** A test that needs an adapter, and is shown as ignored where there is none. */
export function gpuTest(name: string, test: (runner: WgslRunner) => Promise<void>): void {
  Deno.test({
    name,
    ignore: isMissing,
    async fn() {
      const runner = await WgslRunner.create();
      try {
        await test(runner);
      } finally {
        runner.destroy();
      }
    },
  });
}

/** Runs kernels on one device. */
export class WgslRunner {
  /** The device. */
  readonly device: GPUDevice;
  readonly #pipelines = new Map<string, GPUComputePipeline>();

  constructor(device: GPUDevice) {
    this.device = device;
  }

  /** A runner on a device of its own, with the limits of the adapter. */
  static async create(): Promise<WgslRunner> {
    const adapter = (await navigator.gpu.requestAdapter())!;
    const { limits } = adapter;
    const names = [
      "maxStorageBuffersPerShaderStage",
      "maxStorageBufferBindingSize",
      "maxBufferSize",
    ] as const;
    const requiredLimits = Object.fromEntries(names.map((name) => [name, Number(limits[name])]));
    return new WgslRunner(await adapter.requestDevice({ requiredLimits }));
  }

  /** Runs all jobs in one submission and fills their outputs. */
  async run(jobs: readonly Job[]): Promise<void> {
    const encoder = this.device.createCommandEncoder();
    const buffers: GPUBuffer[][] = [];
    for (const job of jobs) buffers.push(await this.#encode(encoder, job));
    const outgoing = jobs.flatMap(({ inputs, outputs }, i) =>
      outputs.map((words, k) => ({ words, buffer: buffers[i]![inputs.length + k]! }))
    );
    await this.#read(encoder, outgoing);
    for (const buffer of buffers.flat()) buffer.destroy();
  }

  /** Ends the device. */
  destroy(): void {
    this.device.destroy();
  }

  /** Encodes a job's kernels; its buffers are in the order in which its plan counts them. */
  async #encode(encoder: GPUCommandEncoder, { plan, inputs, outputs }: Job): Promise<GPUBuffer[]> {
    const { kernels, temporaries } = "kernels" in plan ? plan : planOf(plan);
    const buffers = [
      ...[...inputs, ...outputs].map((words) => this.#upload(words)),
      // As memory is that was used before.
      ...temporaries.map((size) => this.#upload(new Uint32Array(size).fill(0xffffffff))),
    ];
    const pass = encoder.beginComputePass();
    for (const { kernel, buffers: bound } of kernels) {
      await this.#dispatch(pass, kernel, bound.map((i) => buffers[i]!));
    }
    pass.end();
    return buffers;
  }

  /** Submits what was encoded, and reads buffers back, all at once. */
  async #read(
    encoder: GPUCommandEncoder,
    outgoing: readonly { words: Words; buffer: GPUBuffer }[],
  ): Promise<void> {
    const size = outgoing.reduce((sum, { words }) => sum + words.byteLength, 0);
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
    const staging = this.device.createBuffer({ size: Math.max(4, size), usage });
    let end = 0;
    for (const { words: { byteLength }, buffer } of outgoing) {
      if (byteLength > 0) encoder.copyBufferToBuffer(buffer, 0, staging, end, byteLength);
      end += byteLength;
    }
    this.device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const mapped = staging.getMappedRange();
    for (const { words } of outgoing.toReversed()) {
      end -= words.byteLength;
      words.set(new (words.constructor as Float32ArrayConstructor)(mapped, end, words.length));
    }
    staging.destroy();
  }

  #buffer(bytes: number): GPUBuffer {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    return this.device.createBuffer({ size: Math.max(4, bytes), usage });
  }

  #upload(words: Words): GPUBuffer {
    const buffer = this.#buffer(words.byteLength);
    if (words.length > 0) {
      this.device.queue.writeBuffer(buffer, 0, words as Words & { buffer: ArrayBuffer });
    }
    return buffer;
  }

  async #dispatch(
    pass: GPUComputePassEncoder,
    kernel: WgslKernel,
    buffers: readonly GPUBuffer[],
  ): Promise<void> {
    const pipeline = this.#pipelines.get(kernel.code) ?? await this.#compile(kernel);
    this.#pipelines.set(kernel.code, pipeline);
    const layout = pipeline.getBindGroupLayout(0);
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.device.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(...kernel.workgroups);
  }

  async #compile({ name, code, inputs, outputs }: WgslKernel): Promise<GPUComputePipeline> {
    const { device } = this;
    const entries = Array.from({ length: inputs + outputs }, (_, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: binding < inputs ? "read-only-storage" as const : "storage" as const },
    }));
    const layout = device.createBindGroupLayout({ entries });
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ code, label: name });
    const pipeline = device.createComputePipeline({
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    });
    const error = await device.popErrorScope();
    if (error !== null) throw new Error(`${name}: ${error.message}\n${code}`);
    return pipeline;
  }
}
