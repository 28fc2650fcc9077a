import { assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { tensor } from "@cellgrad/cellgrad";
import { key, uniform } from "@cellgrad/cellgrad/random";
import { forward, initGenerator, predict } from "../../../examples/lib/perturb/model.ts";

const SIZES = { genes: 6, embedding: 8, layers: 2 };
const model = initGenerator(key(3), SIZES);
const values = uniform(key(4), [2, 6]);
const flags = tensor([[0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]], { dtype: "int32" });
const none = { cls: false, cce: false, mvc: false, ecs: false };

Deno.test("predict() gives each gene of each cell a value", () => {
  assertEquals(predict(model, { values, flags }).shape, [2, 6]);
});

Deno.test("predict() lets a perturbed gene change all others", () => {
  const rest = tensor(new Int32Array(12), { shape: [2, 6] });
  const [with_, without] = [flags, rest].map((f) => predict(model, { values, flags: f }).data);
  with_!.forEach((value, i) => assertNotEquals(value, without![i]!));
});

Deno.test("predict() treats cells one by one", () => {
  const both = predict(model, { values, flags }).data;
  const second = predict(model, { values: values.gather([1]), flags: flags.gather([1]) }).data;
  second.forEach((value, gene) => assertAlmostEquals(value, both[6 + gene]!, 1e-5));
});

Deno.test("forward() puts out what the terms ask for, and no more", () => {
  const outputs = forward(model, { values, flags }, key(5), none);
  const given = Object.entries(outputs).filter(([, value]) => value !== undefined);
  assertEquals(given.map(([name]) => name).sort(), ["cellEmbeddings", "mlmOutput"]);
  const all = forward(model, { values, flags }, key(5), {
    cls: true,
    cce: true,
    mvc: true,
    ecs: true,
  });
  assertEquals(Object.values(all).filter((value) => value !== undefined).length, 5);
});

Deno.test("forward() drops other values out for the second embedding", () => {
  const outputs = forward(model, { values, flags }, key(5), { ...none, cce: true });
  const [first, second] = [outputs.cellEmbeddings, outputs.cellEmbeddings2];
  assertNotEquals(String(first), String(second));
});
