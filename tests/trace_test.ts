/** The tape: what escapes from it, what it notices, how much it can hold. */
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  add,
  checkpoint,
  customVjp,
  grad,
  hessian,
  jacobian,
  jvp,
  log,
  mul,
  ones,
  sqrt,
  stopGradient,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
} from "../mod.ts";

type Kind = new () => Error;

const message = (f: () => unknown, kind: Kind = TypeError) => assertThrows(f, kind).message;

const REMEDY = "return it from the function (with hasAux), or pass it through stopGradient there";

/** Runs a transform and returns a tensor that it watched. */
const LEAKS: Record<string, (leak: (x: Tensor) => void) => void> = {
  grad: (leak) => grad((x: Tensor) => (leak(x.mul(2)), x.sum()))([1, 2]),
  valueAndGrad: (leak) => valueAndGrad((x: Tensor) => (leak(x.mul(2)), x.sum()))([1, 2]),
  vjp: (leak) => vjp((x: Tensor) => (leak(x.mul(2)), x.sum()), [1, 2]),
  jvp: (leak) => jvp((x: Tensor) => (leak(x.mul(2)), x.sum()), [[1, 2]], [[1, 1]]),
  jacobian: (leak) => jacobian((x: Tensor) => (leak(x.mul(2)), x))([1, 2]),
};

for (const [name, run] of Object.entries(LEAKS)) {
  const escape = () => {
    let leaked: Tensor | undefined;
    run((x) => leaked = x);
    return leaked!;
  };

  Deno.test(`a tensor that escaped from ${name} throws where it is used`, () => {
    assertEquals(
      message(() => escape().add(1)),
      `Cannot compute add as an input escaped from ${name}, which has ended: ${REMEDY}`,
    );
  });

  Deno.test(`a tensor that escaped from ${name} still shows its values`, () => {
    assertEquals(escape().toArray(), [2, 4]);
  });

  Deno.test(`a tensor that escaped from ${name} throws in a later transform`, () => {
    const leaked = escape();
    assertEquals(
      message(() => grad((y: Tensor) => mul(y, leaked).sum())([1, 1])),
      `Cannot compute mul as an input escaped from ${name}, which has ended: ${REMEDY}`,
    );
    assertEquals(
      message(() => grad((y: Tensor) => y.sum())(leaked)),
      `Cannot compute sum as an input escaped from ${name}, which has ended: ${REMEDY}`,
    );
  });

  Deno.test(`a tensor that escaped from ${name} inside of another transform throws there`, () => {
    assertEquals(
      message(() => grad((y: Tensor) => mul(y, escape()).sum())([1, 1])),
      `Cannot compute mul as an input escaped from ${name}, which has ended: ${REMEDY}`,
    );
  });

  Deno.test(`a tensor that escaped from ${name} is no result of an outer transform`, () => {
    const outer: Record<string, () => unknown> = {
      valueAndGrad: () =>
        valueAndGrad((y: Tensor): [Tensor, Tensor] => [y.sum(), escape()], {
          hasAux: true,
        })([1, 1]),
      vjp: () => vjp((_: Tensor) => escape(), [1, 1]),
      jvp: () => jvp((_: Tensor) => escape(), [[1, 1]], [[1, 1]]),
    };
    for (const [caller, call] of Object.entries(outer)) {
      assertEquals(
        message(call),
        `Cannot compute ${caller} as the function's result escaped from ${name}, which has ended: ` +
          REMEDY,
      );
    }
  });
}

Deno.test("an inner gradient that leaks its variable is not taken for zero", () => {
  const f = (x: Tensor) => {
    let leaked = x;
    grad((y: Tensor) => leaked = y.square())(x);
    return leaked;
  };
  assertEquals(
    message(() => grad(f)(3)),
    `Cannot compute grad as the function's result escaped from grad, which has ended: ${REMEDY}`,
  );
});

Deno.test("what passed through stopGradient may leave a transform", () => {
  let kept: Tensor | undefined;
  grad((x: Tensor) => (kept = stopGradient(x.mul(2)), x.sum()))([1, 2]);
  assertEquals(kept!.add(1).toArray(), [3, 5]);
});

Deno.test("results of an inner transform may be used in the outer one", () => {
  const f = (x: Tensor) => {
    const [value, gradient] = valueAndGrad((y: Tensor) => y.square().sum())(x);
    return value.add(gradient.sum());
  };
  assertEquals(grad(f)([1, 2]).toArray(), [4, 6]);
});

Deno.test("after a function threw, the next transform works, and its tensors have escaped", () => {
  let leaked: Tensor | undefined;
  const fails = (x: Tensor): Tensor => {
    leaked = x.mul(2);
    throw new Error("mine");
  };
  assertEquals(message(() => grad(fails)([1]), Error), "mine");
  assertEquals(grad((x: Tensor) => x.square().sum())([3]).toArray(), [6]);
  assertEquals(
    message(() => leaked!.add(1)),
    `Cannot compute add as an input escaped from grad, which has ended: ${REMEDY}`,
  );
});

Deno.test("after an inner function threw and was caught, the outer transform goes on", () => {
  const fails = (_: Tensor): Tensor => {
    throw new Error("inner");
  };
  const f = (x: Tensor) => {
    assertThrows(() => grad(fails)(x), Error, "inner");
    return x.square().sum();
  };
  assertEquals(grad(f)([3]).toArray(), [6]);
});

Deno.test("checkNaN names the operation that made the first NaN", () => {
  const f = (x: Tensor) => log(x.sub(2)).exp().sum();
  assertEquals(
    message(() => grad(f, { checkNaN: true })([1, 3, 0]), RangeError),
    "Cannot continue grad as log produced NaN: 2 of 3 values",
  );
  assertEquals(
    message(() => valueAndGrad(f, { checkNaN: true })([1, 3, 0]), RangeError),
    "Cannot continue valueAndGrad as log produced NaN: 2 of 3 values",
  );
});

Deno.test("checkNaN tells an operation that was given a NaN from one that made it", () => {
  assertEquals(
    message(() => grad((x: Tensor) => x.mul(2).sum(), { checkNaN: true })([NaN, 1]), RangeError),
    "Cannot continue grad as mul was given NaN: 1 of 2 values",
  );
});

Deno.test("checkNaN names the operation whose gradient made the first NaN", () => {
  // 0 · ∞: the gradient of sqrt at 0 is infinite, what comes back to it is 0.
  const f = (x: Tensor) => sqrt(x).mul(0).sum();
  assertEquals(f(tensor([0, 1])).item(), 0);
  assertEquals(
    message(() => grad(f, { checkNaN: true })([0, 1]), RangeError),
    "Cannot continue grad as the gradient of sqrt produced NaN: 1 of 2 values",
  );
});

Deno.test("checkNaN names a rule of one's own whose gradient is NaN", () => {
  const broken = customVjp({ forward: (x) => x.mul(1), vjp: () => [[NaN]], name: "broken" });
  assertEquals(
    message(() => grad((x: Tensor) => broken(x).sum(), { checkNaN: true })([1]), RangeError),
    "Cannot continue grad as the gradient of broken produced NaN: 1 of 1 values",
  );
});

Deno.test("checkNaN names the operation to which gradients of ∞ and −∞ come together", () => {
  const f = (x: Tensor) => {
    const y = x.mul(2);
    return sqrt(y).sub(sqrt(y)).sum();
  };
  assertEquals(
    message(() => grad(f, { checkNaN: true })([0, 1, 0]), RangeError),
    "Cannot continue grad as the gradient of mul was given NaN: 2 of 3 values",
  );
});

Deno.test("checkNaN names a checkpoint() whose function makes NaN", () => {
  const layer = checkpoint((x: Tensor) => log(x));
  assertEquals(
    message(() => grad((x: Tensor) => layer(x).sum(), { checkNaN: true })([-1]), RangeError),
    "Cannot continue grad as checkpoint produced NaN: 1 of 1 values",
  );
});

Deno.test("checkNaN does not change values or gradients", () => {
  const f = (x: Tensor) => x.square().sum();
  const [value, gradient] = valueAndGrad(f, { checkNaN: true })([1, Infinity]);
  assertEquals([value.item(), gradient.toArray()], [Infinity, [2, Infinity]]);
});

Deno.test("without checkNaN, NaN goes where arithmetic takes it", () => {
  for (const options of [{}, { checkNaN: false }, { checkNaN: undefined }]) {
    assertEquals(grad((x: Tensor) => sqrt(x).mul(0).sum(), options)([0]).toArray(), [NaN]);
  }
});

Deno.test("a branch that leads nowhere costs nothing, even one of NaN", () => {
  const f = (x: Tensor) => {
    log(x.neg()).mul(x).sum();
    return x.square().sum();
  };
  assertEquals(grad(f)([1, 2]).toArray(), [2, 4]);
});

Deno.test("no gradient passes through integers and booleans", () => {
  const f = (x: Tensor) => x.cast("int32").cast("float32").add(x.greater(0)).sum();
  assertEquals(grad(f)([1, 2]).toArray(), [0, 0]);
});

Deno.test("gradient rules run for what leads to the output only", () => {
  const calls: string[] = [];
  const marked = (name: string) =>
    customVjp({ forward: (x) => x.mul(2), vjp: (g) => (calls.push(name), [g.mul(2)]) });
  const [used, unused] = [marked("used"), marked("unused")];
  grad((x: Tensor) => {
    unused(x);
    return used(x).sum();
  })([1, 2]);
  assertEquals(calls, ["used"]);
});

Deno.test("gradients run once over a value that is used often", () => {
  let calls = 0;
  const marked = customVjp({ forward: (x) => x.mul(2), vjp: (g) => (calls++, [g.mul(2)]) });
  const f = (x: Tensor) => {
    const y = marked(x);
    let total = y;
    for (let i = 1; i < 1000; i++) total = total.add(y);
    return total.sum();
  };
  assertEquals(grad(f)([1]).toArray(), [2000]);
  assertEquals(calls, 1);
});

Deno.test("a chain of 100,000 operations goes forward and back without a deep stack", () => {
  const started = performance.now();
  const f = (x: Tensor) => {
    let y = x;
    for (let i = 0; i < 50_000; i++) y = add(y, 1).mul(1);
    return y.sum();
  };
  const [value, gradient] = valueAndGrad(f)(tensor([1, 2], { dtype: "float64" }));
  assertEquals([value.item(), gradient.toArray()], [100_003, [1, 1]]);
  assertLess(performance.now() - started, 5000);
});

Deno.test("a chain of 10,000 operations is differentiated twice", () => {
  const f = (x: Tensor) => {
    let y = x.square();
    for (let i = 0; i < 10_000; i++) y = y.add(1);
    return y.sum();
  };
  assertEquals(hessian(f)(tensor([3], { dtype: "float64" })).toArray(), [[2]]);
});

Deno.test("transforms nest 20 deep", () => {
  const depth = (n: number): (x: Tensor) => Tensor =>
    n === 0 ? (x) => x.exp() : (x) => grad(depth(n - 1))(x);
  assert(Math.abs(depth(8)(tensor(0, { dtype: "float64" })).item() - 1) < 1e-12);
  const sums = (n: number): (x: Tensor) => Tensor =>
    n === 0 ? (x) => x : (x) => x.add(grad((y: Tensor) => sums(n - 1)(x).mul(y))(ones([])));
  assertEquals(grad(sums(20))(tensor(3)).item(), 21);
});
