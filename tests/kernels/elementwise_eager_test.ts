import { assertEquals, assertLessOrEqual } from "@std/assert";
import { EagerKernel, LARGE } from "../../kernels/elementwise/eager.ts";
import { ElementwiseKernel } from "../../kernels/elementwise/reference.ts";
import { arrayOf, assertSame, chain, prepare, ulpOf, wave } from "./wasm_loops.ts";

Deno.test("EagerKernel gives large arrays of float32 to WebAssembly, in chunks", () => {
  for (const text of ["exp(a)", "max(a, 0) + log1p(exp(-abs(a)))", "1 / (1 + exp(-a))"]) {
    const [eager, reference] = [EagerKernel, ElementwiseKernel].map((K) => new K("f", text));
    for (const size of [LARGE - 1, LARGE, 8191, 8192, 8193, 20_001]) {
      const x = wave("float32", size);
      const [y, exact] = [new Float32Array(size), new Float32Array(size)];
      eager!.runFlat(y, [x]);
      reference!.runFlat(exact, [x]);
      let differing = 0;
      y.forEach((value, i) => {
        assertLessOrEqual(Math.abs(value - exact[i]!), 3 * ulpOf(exact[i]!));
        if (value !== exact[i]) differing++;
      });
      assertEquals(differing > 0, size >= LARGE);
    }
  }
});

Deno.test("EagerKernel gives the bits that loops of programs give", () => {
  for (const text of ["exp(a)", "tanh(a) * b", "sin(a) + cos(b)", "log(abs(a)) - expm1(b) / 3"]) {
    const kernel = new EagerKernel("f", text);
    const loop = prepare(chain(text, "ab"));
    for (const size of [LARGE, 8191, 8193, 20_001, 20_003]) {
      // Some angles are large, the last one among them; then a shorter array follows the longer one.
      const a = wave("float32", size).map((x, i) => (size - i) % 97 === 1 ? 1e5 * x : x);
      const b = wave("float32", size).map((x) => 2 * x);
      for (const length of [size, size - 1, size - 2].filter((length) => length >= LARGE)) {
        const operands = [a.subarray(0, length), b.subarray(0, length)] as Float32Array[];
        const y = new Float32Array(length);
        kernel.runFlat(y, operands);
        const [expected] = loop({ rows: 1, columns: length, operands });
        assertSame(y, expected!, `${text} of ${length} values`);
      }
    }
  }
});

Deno.test("EagerKernel reads operands of one value, and parameters", () => {
  const text = "exp(a - b) * p + q";
  const a = wave("float32", 10_001);
  const [y, exact] = [new Float32Array(a.length), new Float32Array(a.length)];
  for (const data of [[a, Float32Array.of(0.5)], [Float32Array.of(0.5), a], [a, a]]) {
    new EagerKernel("f", text).runFlat(y, data, [2, 0.25]);
    new ElementwiseKernel("f", text).runFlat(exact, data, [2, 0.25]);
    y.forEach((value, i) => assertLessOrEqual(Math.abs(value - exact[i]!), 3 * ulpOf(exact[i]!)));
  }
});

Deno.test("EagerKernel gives float64 the same bits, and leaves cheap expressions as they are", () => {
  const size = 5000;
  for (const dtype of ["float64", "float32"] as const) {
    const [x, text] = [wave(dtype, size), dtype === "float64" ? "exp(a)" : "a / 3 * a"];
    const [y, exact] = [arrayOf(dtype, size), arrayOf(dtype, size)];
    new EagerKernel("f", text).runFlat(y, [x]);
    new ElementwiseKernel("f", text).runFlat(exact, [x]);
    assertSame(y, exact, text);
  }
});
