/**
 * Automatic differentiation on typed arrays, and the losses of single-cell and segmentation
 * research on top of it.
 *
 * Functions are transformed, not recorded by hand: {@linkcode grad} of a function is a function.
 *
 * @example The gradient of a loss
 * ```ts
 * import { grad, type Tensor, tensor } from "@cellgrad/cellgrad";
 * import { assertEquals } from "@std/assert";
 *
 * const loss = (w: Tensor, x: Tensor) => x.matmul(w).square().mean();
 * const gradient = grad(loss)([1, -1], tensor([[1, 2], [3, 4]]));
 * assertEquals(gradient.toArray(), [-4, -6]);
 * ```
 *
 * @module
 */
import "./src/all.ts";

export {
  type DType,
  type Reducer,
  type TypedArray,
  type TypedArrayMethods,
  type ValueCallback,
} from "./src/dtype.ts";
export type { AwaitUsingDisposable, UsingDisposable } from "./src/disposal.ts";
export type { TensorJson } from "./src/display.ts";
export { type Shape } from "./src/shape.ts";
export { Fluent } from "./src/fluent.ts";
export type { FluentElementwise } from "./src/fluent_elementwise.ts";
export {
  type NestedArray,
  type NestedBooleans,
  type NestedValues,
  Tensor,
  tensor,
  type TensorLike,
  type TensorOptions,
} from "./src/tensor.ts";
export { arange, type CreateOptions, eye, full, linspace, ones, zeros } from "./src/create.ts";
export * from "./src/ops/mod.ts";
export { checkpoint } from "./src/transforms/checkpoint.ts";
export { hessian, hvp, jacobian, type JacobianOf } from "./src/transforms/jacobian.ts";
export type { LikeArguments } from "./src/transforms/linearize.ts";
export {
  type Argnums,
  grad,
  type GradArguments,
  type GradientOf,
  type GradOptions,
  valueAndGrad,
  vjp,
} from "./src/transforms/grad.ts";
export { jvp, linearize } from "./src/transforms/push_forward.ts";
export { cond } from "./src/transforms/cond.ts";
export { fixedPoint, type FixedPointOptions } from "./src/transforms/fixed_point.ts";
export {
  forLoop,
  type ForLoopOptions,
  type LoopCheckpoint,
  scan,
  type ScanOptions,
  whileLoop,
  type WhileLoopOptions,
} from "./src/transforms/loops.ts";
export {
  type MappedAxes,
  vmap,
  type VmapArguments,
  type VmapOptions,
} from "./src/transforms/vmap.ts";
export { mapRowBlocks, type MapRowBlocksOptions } from "./src/transforms/map_row_blocks.ts";
export {
  compile,
  type CompileOptions,
  type Device,
  type ExplainOptions,
  type ProfileOptions,
  type Program,
  type ProgramArguments,
} from "./src/compile/compile.ts";
export type { PassName } from "./src/program/optimize.ts";
export type { Profile, ProfiledStep } from "./src/program/profile.ts";
export type { ProgramDevice } from "./src/program/device.ts";
export {
  type AdapterDescription,
  type HostGpuAdapter,
  type HostGpuDevice,
  webgpu,
  type WebGpuCounters,
  type WebGpuDevice,
  type WebGpuOptions,
} from "./src/backends/webgpu/mod.ts";
export { type LikeTree, type TensorTree, type Tree, treeLeaves, treeMap } from "./src/tree.ts";
export * from "./src/losses/mod.ts";
export * from "./src/metrics/mod.ts";
export * from "./src/optim/mod.ts";
export {
  bernoulli,
  beta,
  categorical,
  choice,
  type ChoiceOptions,
  dirichlet,
  exponential,
  foldIn,
  gamma,
  type GammaOptions,
  gumbel,
  integers,
  key,
  laplace,
  multivariateNormal,
  normal,
  type NormalOptions,
  permutation,
  poisson,
  type SampleOptions,
  type SampleTypeOptions,
  type SharesOptions,
  /** Keys from a key; `./random` calls it `split`, which here cuts tensors. */
  split as splitKey,
  truncatedNormal,
  type TruncatedNormalOptions,
  uniform,
  type UniformOptions,
} from "./src/random.ts";
