/**
 * The host's own types of WebGPU, for projects whose `lib` has them and for those without.
 *
 * @module
 */

/** `GPUAdapter` where TypeScript knows `navigator.gpu`, else what is needed of one. */
export type HostGpuAdapter = typeof globalThis extends
  { navigator: { gpu: { requestAdapter(): Promise<infer A> } } } ? NonNullable<A>
  : { requestDevice(): Promise<unknown> };

/** `GPUDevice` where TypeScript knows `navigator.gpu`, else what is needed of one. */
export type HostGpuDevice = Awaited<ReturnType<HostGpuAdapter["requestDevice"]>> extends
  infer D extends { lost: Promise<unknown> } ? D : { readonly lost: Promise<unknown> };
