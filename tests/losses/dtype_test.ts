/** Losses keep the type of what they are given: counts of labels do not make them float64. */
import { assertEquals } from "@std/assert";
import type { Tensor } from "../../mod.ts";
import { NAN_CASES } from "./nan_cases.ts";

for (const [name, inputs, loss] of NAN_CASES) {
  Deno.test(`${name} of float32 is float32`, () => {
    const own = inputs.map((x: Tensor) => x.dtype === "float64" ? x.cast("float32") : x);
    assertEquals(loss(own).dtype, "float32");
  });
}
