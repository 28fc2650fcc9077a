import * as cg from "../../mod.ts";
import * as losses from "../../src/losses/mod.ts";
import * as metrics from "../../src/metrics/mod.ts";
import * as random from "../../src/random.ts";
import * as testing from "../../src/testing.ts";
import { METHOD_CALLS, VALID_CALLS } from "./valid_calls.ts";
import { assertListed } from "../guards.ts";

Deno.test("every function of the core has a row with a valid call", () => {
  const classes = [cg.Tensor, cg.Fluent];
  const elsewhere = [...classes, ...Object.values(losses), ...Object.values(metrics)] as unknown[];
  const called = new Set<unknown>(VALID_CALLS.map(({ f }) => f));
  for (const module of [cg, random, testing]) {
    const missing = Object.entries(module).filter(([, value]) =>
      typeof value === "function" && !elsewhere.includes(value) && !called.has(value)
    );
    assertListed("VALID_CALLS in tests/misuse/valid_calls.ts", [], missing.map(([name]) => name));
  }
  const methods = Object.getOwnPropertyNames(cg.Fluent.prototype)
    .filter((name) => name !== "constructor");
  const listed = METHOD_CALLS.map(({ name }) => name).filter((name) => methods.includes(name));
  assertListed("METHOD_CALLS in tests/misuse/valid_calls.ts", listed, methods);
});

Deno.test("the valid calls are valid", async () => {
  for (const { name, f, args } of [...VALID_CALLS, ...METHOD_CALLS]) {
    if (name === "webgpu") continue; // Needs an adapter.
    try {
      await f(...args());
    } catch (error) {
      throw new Error(`as ${name} threw`, { cause: error });
    }
  }
});
