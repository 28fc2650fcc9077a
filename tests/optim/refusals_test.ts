import { assertStringIncludes, assertThrows } from "@std/assert";
import * as optim from "../../src/optim/mod.ts";
import { type Tensor, tensor } from "../../src/tensor.ts";

const plain = optim.sgd({ learningRate: 1 });
const params = { w: tensor([1, 2]) };
const own: { w?: unknown } = {};
own.w = own;

const OPTIMIZERS: Record<string, optim.Optimizer> = {
  sgd: plain,
  adam: optim.adam({ learningRate: 1 }),
  adamw: optim.adamw({ learningRate: 1 }),
  nadam: optim.nadam({ learningRate: 1 }),
  lion: optim.lion({ learningRate: 1 }),
  lamb: optim.lamb({ learningRate: 1 }),
  rmsprop: optim.rmsprop({ learningRate: 1 }),
  adagrad: optim.adagrad({ learningRate: 1 }),
  byPath: optim.byPath(() => plain),
  masked: optim.masked(plain, () => true),
  accumulateGradients: optim.accumulateGradients(plain, { steps: 2 }),
};

/** What is no tree of parameters, and what is said of it. */
const BAD = [
  [undefined, "must be a tensor, or an array or plain object of tensors"],
  [{ w: "x" }, '.w must be a tensor, or an array or plain object of tensors: current value is "x"'],
  [own, "must not contain itself"],
] as const;

for (const [name, optimizer] of Object.entries(OPTIMIZERS)) {
  Deno.test(`${name}() names itself and the tree that does not fit`, () => {
    const { init, update } = optimizer as {
      init: (params: unknown) => ReturnType<typeof optimizer.init>;
      update: (...args: unknown[]) => unknown;
    };
    const state = init(params);
    const refused = (call: () => unknown, text: string) => {
      const { message } = assertThrows(call, TypeError);
      assertStringIncludes(message, `Cannot compute ${name} as ${text}`);
    };
    for (const [tree, text] of BAD) {
      const of = (argument: string) =>
        text.startsWith(".") ? argument + text : `${argument} ${text}`;
      refused(() => init(tree), of("params"));
      refused(() => update(params, state, tree), of("params"));
      refused(() => update(tree, state, params), of("grads"));
    }
    refused(
      () => update({ v: params.w }, state, params),
      'params and grads must have the same branches: current values are {"w":0} and {"v":0}',
    );
    for (const moment of Object.keys(state.moments)) {
      const others = { ...state, moments: { ...state.moments, [moment]: { v: params.w } } };
      refused(() => update(params, others, params), `params and state.moments.${moment} must have`);
    }
  });
}

Deno.test("movingAverage() names itself and the tree that does not fit", () => {
  const { init, update } = optim.movingAverage();
  const state = init(params);
  const calls: [() => unknown, string][] = [
    [() => init(own), "params must not contain itself"],
    [() => update(undefined as unknown as typeof params, state), "params must be a tensor"],
    [
      () => update({ v: params.w } as unknown as { w: Tensor }, state),
      "params and state.moments.average must have the same branches",
    ],
  ];
  for (const [call, text] of calls) {
    assertThrows(call, TypeError, `Cannot compute movingAverage as ${text}`);
  }
});
