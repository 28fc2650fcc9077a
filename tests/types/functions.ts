// Type-checked only: which functions and trees transforms, programs and checks take.
import {
  adam,
  checkpoint,
  clipByGlobalNorm,
  compile,
  crossEntropyLoss,
  fixedPoint,
  focalLoss,
  forLoop,
  grad,
  hessian,
  hvp,
  jvp,
  linearize,
  mapRowBlocks,
  maskedMseLoss,
  maskedRelativeError,
  maskedValueLoss,
  mmdLoss,
  scan,
  type Tensor,
  tensor,
  treeLeaves,
  treeMap,
  valueAndGrad,
  vjp,
  vmap,
  whileLoop,
} from "../../mod.ts";
import { writeSafetensors } from "../../src/data/mod.ts";
import { assertAllClose, checkGradients } from "../../src/testing.ts";

/** Wants a value of a type. */
declare function is<T>(value: T): void;

const x = tensor([[1, 2], [3, 4]]);

checkGradients((x) => x.tanh(), [[0.5]]);
checkGradients((x, y) => x.mul(y), [[0.5], x], { order: 2 });
checkGradients(maskedMseLoss, [[1], [2], [true]]);
checkGradients(maskedMseLoss, [x, x, new Uint8Array(4)], { order: 2 });
checkGradients(crossEntropyLoss, [[[0.5, 1]], [1]]);
checkGradients(focalLoss, [[[0.5, 1]], [1]]);
checkGradients(mmdLoss, [[[0.5]], [[1]]]);
for (const f of [maskedMseLoss, maskedRelativeError, maskedValueLoss]) {
  checkGradients(f, [[1], [2], [1]]);
}
checkGradients((x: Tensor, factor?: number) => x.mul(factor ?? 1), [[0.5]]);
const scaled = (x: Tensor, scale?: Tensor, power?: number) => x.mul(scale ?? 1).pow(power ?? 1);
checkGradients(scaled, [[0.5]]);
checkGradients(scaled, [[0.5], [2]]);
declare const inputs: Tensor[];
checkGradients((x: Tensor, y: Tensor) => x.mul(y), inputs);
checkGradients((...xs: Tensor[]) => xs[0]!, inputs);
// @ts-expect-error: a parameter that takes no tensor must be optional
checkGradients((x: Tensor, factor: number) => x.mul(factor), [[0.5], 3]);
// @ts-expect-error: a function of text has no gradient
checkGradients((text: string) => tensor(text.length), [[0.5]]);
// @ts-expect-error: a number has no gradient
checkGradients((x: Tensor) => x.item(), [[0.5]]);
// @ts-expect-error: the mask is missing
checkGradients(maskedMseLoss, [[0.5], [3]]);
// @ts-expect-error: options are no input
checkGradients(maskedMseLoss, [[0.5], [3], [1], {}]);
// @ts-expect-error: text is no tensor
checkGradients(maskedMseLoss, [[0.5], [3], "x"]);
// @ts-expect-error: text is no tensor
checkGradients((x: Tensor) => x, ["x"]);
// @ts-expect-error: an optional number is no input
checkGradients(scaled, [[0.5], [2], [3]]);
// @ts-expect-error: no such option
checkGradients(maskedMseLoss, [[0.5], [1], [1]], { orders: 2 });
// @ts-expect-error: no third order
checkGradients((x: Tensor) => x, [[0.5]], { order: 3 });
// @ts-expect-error: the inputs are missing
checkGradients((x: Tensor) => x);
// @ts-expect-error: not a function
checkGradients(x, [[0.5]]);

is<Tensor>(grad(maskedMseLoss)([1], [2], [true]));
is<Tensor>(grad(maskedMseLoss)([1], [2], [true], { emptyMask: "zero" }));
is<Tensor>(checkpoint(maskedMseLoss)([1], [2], [true]));
is<Tensor>(vjp(maskedMseLoss, [1], [2], [1])[0]);
is<Promise<unknown>>(compile(maskedMseLoss, [[1], [2], [true]]));
// @ts-expect-error: no such value of the option
grad(maskedMseLoss)([1], [2], [true], { emptyMask: "none" });
// @ts-expect-error: text is no tensor
grad((x: Tensor) => x.sum())("x");
// @ts-expect-error: a gradient is of a tensor
grad((x: Tensor) => x.item());

interface Layer {
  w: Tensor;
}
interface Params {
  w: Tensor;
  b: Tensor;
  layers: Layer[];
}
const params: Params = { w: x, b: x, layers: [{ w: x }] };
const loss = (p: Params, x: Tensor) => x.matmul(p.w).add(p.b).add(p.layers[0]!.w).sum();
const of = (p: Params) => loss(p, x);
const gradient = grad(loss)(params, x);
is<Params>(gradient);
is<[Tensor, Params]>(valueAndGrad(loss)(params, x));
is<[Params, Tensor]>(vjp(loss, params, x)[1](1));
is<Tensor>(jvp(loss, [params, x], [params, x])[1]);
is<Params>(hvp(of)(params, params));
is<Tensor>(hessian(of)(params).w.w);
is<Tensor>(linearize(loss, params, x)[1](params, x));
is<Tensor>(vmap(loss)(params, x));
is<Tensor>(vmap(loss)(params, [[1, 2]]));
is<Params>(vmap(grad(loss), { inAxes: [null, 0] })(params, [[1, 2]]));
is<Params>(
  vmap((p: Params, by: string) => treeMap((y) => y.mul(by.length), p), {
    inAxes: [{ w: 0, b: null, layers: 1 }, null],
    outAxes: -1,
  })(params, "x"),
);
is<Tensor>(checkpoint(loss)(params, x));
is<Params>(treeMap((leaf) => leaf.mul(2), params));
is<Tensor[]>(treeLeaves(params));
is<Params>(clipByGlobalNorm(gradient, 1));
is<Tensor>(mapRowBlocks((p: Params, l: Layer) => p.w.add(l.w), params, { w: x }, { rows: 2 }));
const optimizer = adam({ learningRate: 0.1 });
is<Params>(optimizer.update(gradient, optimizer.init(params), params).params);
compile(loss, [params, x]).then((program) => program(params, [[1, 2], [3, 4]])).then(is<Tensor>);
const layer: Layer = { w: x };
writeSafetensors(layer);
writeSafetensors({ w: [1, 2] });
assertAllClose(x, [[1, 2], [3, 4]]);
// @ts-expect-error: an axis is a whole number, null, or a tree of them
vmap(loss, { inAxes: ["0", null] });
// @ts-expect-error: no such option
vmap(loss, { in_axes: 0 });
// @ts-expect-error: the second argument is missing
vmap(loss)(params);
// @ts-expect-error: what is not mapped over is handed on as it is, and loss wants a tensor
vmap(loss, { inAxes: [0, null] })(params, [[1, 2]]);
// @ts-expect-error: one tangent for each argument
linearize(loss, params, x)[1](params);
// @ts-expect-error: a leaf is missing
grad(loss)({ w: x, b: x }, x);
// @ts-expect-error: a leaf is text
grad(loss)({ ...params, b: "x" }, x);
// @ts-expect-error: the gradient has no such leaf
is<Tensor>(gradient.c);
// @ts-expect-error: a list of tensors is no tensor
writeSafetensors(params);

// Loops know what they carry, whether their functions say so or not.
is<Tensor>(forLoop(3, (y) => y.mul(2), x));
is<{ a: Tensor; b: Tensor }>(forLoop(3, ({ a, b }) => ({ a: a.add(b), b }), { a: x, b: x }));
is<Tensor>(whileLoop((y) => y.less(9).all(), (y) => y.mul(2), x));
is<Tensor>(fixedPoint((y) => y.cos(), x));
is<[Tensor, Tensor]>(scan((c, row) => [c.add(row), c], x.at(0), x));
const [[hidden, cell], rows] = scan((c, row) => [[c[1], c[0].add(row)], c[0]], [x, x], x);
is<Tensor[]>([hidden, cell, rows]);
interface Carry {
  sum: Tensor;
}
is<Carry>(forLoop(3, (c: Carry, i) => ({ sum: c.sum.add(i) }), { sum: x }));
is<Tensor>(forLoop(3, (y: Tensor) => y.add(1), 0));
is<Tensor>(scan((c: Tensor, y: Tensor) => [c.add(y), null] as const, 0, [1, 2])[0]);
// @ts-expect-error: the carry keeps its branches
forLoop(3, (y) => [y], x);
