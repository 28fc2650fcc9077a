/**
 * What a WebGPU device can do at best: multiplications and additions, and bytes read and written.
 *
 * @module
 */

/** A device's peak. */
export interface Peak {
  /** Floating-point operations per second, in billions. */
  gigaflops: number;
  /** Bytes read and written per second, in billions. */
  gigabytesPerSecond: number;
}

const GROUP = 256;
const GROUPS = 4096;
const ROUNDS = 256;

/** Eight chains of vectors of four: enough that no result is waited for. */
const CHAINS = 8;

/** Bytes that are copied. */
const BYTES = 2 ** 26;

/** A run takes at least so many seconds, beside which waiting for its end is little. */
const SECONDS = 0.3;

function fmaShader(update: (x: string) => string): string {
  const chains = Array.from({ length: CHAINS }, (_, i) => `x${i}`);
  return `@group(0) @binding(0) var<storage, read_write> out: array<vec4<f32>>;
@compute @workgroup_size(${GROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let start = f32(id.x) * 1e-9;
  let a = vec4<f32>(0.999 + start);
  let b = vec4<f32>(1e-3 + start);
  ${chains.map((x, i) => `var ${x} = vec4<f32>(start + ${i}.0);`).join("\n  ")}
  for (var i = 0u; i < ${ROUNDS}u; i++) {
    ${chains.map((x) => `${x} = ${update(x)};`).join("\n    ")}
  }
  out[id.x] = ${chains.join(" + ")};
}`;
}

const COPY = `@group(0) @binding(0) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@compute @workgroup_size(${GROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  out[id.x] = x[id.x];
}`;

/** Seconds of one dispatch, the best of several runs of as many as take some time. */
async function timeKernel(
  device: GPUDevice,
  code: string,
  buffers: readonly GPUBuffer[],
  groups: number,
): Promise<number> {
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module, entryPoint: "main" },
  });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const time = async (count: number) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < count; i++) pass.dispatchWorkgroups(groups);
    pass.end();
    const start = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return (performance.now() - start) / 1000;
  };
  let count = 1;
  await time(count);
  for (let own = await time(count); own < SECONDS; own = await time(count)) {
    count = Math.ceil(count * Math.min(8, Math.max(2, SECONDS / own)));
  }
  return Math.min(await time(count), await time(count), await time(count)) / count;
}

/** Measures the peak; multiplying and adding is tried as one operation and as two. */
export async function measurePeak(device: GPUDevice): Promise<Peak> {
  const usage = GPUBufferUsage.STORAGE;
  const [out, x] = [BYTES, BYTES].map((size) => device.createBuffer({ size, usage }));
  const updates = [(y: string) => `fma(${y}, a, b)`, (y: string) => `${y} * a + b`];
  const times: number[] = [];
  for (const update of updates) {
    times.push(await timeKernel(device, fmaShader(update), [out!], GROUPS));
  }
  const flop = 2 * 4 * CHAINS * ROUNDS * GROUP * GROUPS;
  const copying = await timeKernel(device, COPY, [out!, x!], BYTES / 16 / GROUP);
  out!.destroy();
  x!.destroy();
  return {
    gigaflops: flop / Math.min(...times) / 1e9,
    gigabytesPerSecond: 2 * BYTES / copying / 1e9,
  };
}
