import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { lgammaValue, polygammaValue } from "../../kernels/gamma/reference.ts";

// mpmath 1.3.0 at 60 digits, rounded to float64: loggamma(x).real and psi(n, x).

/** x and log |Γ(x)|. */
const LGAMMA: readonly (readonly [number, number])[] = [
  [1e-300, 690.7755278982137],
  [1e-10, 23.025850929882736],
  [0.1, 2.252712651734206],
  [0.5, 0.5723649429247001],
  [0.99, 0.005854806764709781],
  [1.5, -0.12078223763524522],
  [1.99, -0.004195529088791668],
  [2.5, 0.2846828704729192],
  [3, 0.6931471805599453],
  [7.3, 7.147892523022248],
  [11.999, 17.499865227646104],
  [12, 17.502307845873887],
  [12.001, 17.50475055100354],
  [50.5, 146.51925549072064],
  [100, 359.1342053695754],
  [12345.678, 103959.91990554606],
  [10000000000, 220258509288.81058],
  [1e+300, 6.897755278982137e+302],
  [-1e-10, 23.025850929998178],
  [-0.5, 1.2655121234846454],
  [-1.5, 0.860047015376481],
  [-2.25, 0.5555015450206475],
  [-10.1, -13.0209732710115],
  [-50.75, -149.93349749044816],
  [-100.3, -363.7662061826763],
  [-12345.25, -103963.81743923068],
];

/** x, then ψ, ψ′, ψ″ and ψ‴. */
const POLYGAMMA: readonly (readonly number[])[] = [
  [1e-05, -100000.57719921567, 10000000001.644909, -2000000000000002, 5.999999999999999e+20],
  [0.1, -10.423754940411076, 101.43329915079275, -2001.8614573783436, 60004.51287679026],
  [0.5, -1.9635100260214235, 4.934802200544679, -16.82879664423432, 97.40909103400244],
  [1, -0.5772156649015329, 1.6449340668482264, -2.4041138063191885, 6.493939402266829],
  [2, 0.42278433509846713, 0.6449340668482264, -0.4041138063191886, 0.49393940226682914],
  [3.5, 1.103156640645243, 0.3303577561002349, -0.1082040516417274, 0.07030584881725205],
  [11.999, 2.442574774329119, 0.08690942073224082, -0.007548515632704711, 0.0013104342002342071],
  [12, 2.442661679975812, 0.08690187287176838, -0.007547205368998912, 0.001310093231070826],
  [12.001, 2.4427485780752995, 0.0868943263213892, -0.007545895446203168, 0.0013097523801157375],
  [100, 4.600161852738087, 0.010050166663333571, -0.00010100499983335, 2.030199990001333e-06],
  [100000, 11.512920464961896, 1.0000050000166667e-05, -1.00001000005e-10, 2.0000300002e-15],
  [10000000000, 23.025850929890456, 1.00000000005e-10, -1.0000000001e-20, 2.0000000003e-30],
  [-0.5, 0.03648997397857652, 8.934802200544679, -0.82879664423432, 193.40909103400244],
  [-1.5, 0.7031566406452432, 9.379246644989124, -0.2362040516417274, 194.59427621918763],
  [-2.25, 4.158583564657972, 19.37941051186914, 123.89694977406016, 1558.4550231887144],
  [-10.1, 12.030052248548309, 103.26156923946725, 1998.650780070702, 60014.25021906147],
  [-50.75, 0.7951388269452638, 19.719697226040573, -124.02548741072778, 1558.5454416892758],
];

const RUNS = { seed: 11, numRuns: 500 };

Deno.test("lgammaValue() is within 6e-15 of 60-digit values, or 3e-16 of large ones", () => {
  for (const [x, expected] of LGAMMA) {
    const tolerance = Math.max(6e-15, 3e-16 * Math.abs(expected));
    assertAlmostEquals(lgammaValue(x), expected, tolerance, `x = ${x}`);
  }
});

Deno.test("lgammaValue() is exact at 1 and 2 and has poles at 0 and below", () => {
  assertEquals([lgammaValue(1), lgammaValue(2)], [0, 0]);
  assertEquals([0, -0, -1, -2, -1e15].map(lgammaValue), new Array(5).fill(Infinity));
});

Deno.test("lgammaValue() is infinite at infinity and NaN at NaN", () => {
  assertEquals([lgammaValue(Infinity), lgammaValue(NaN)], [Infinity, NaN]);
});

Deno.test("lgammaValue() is the logarithm of the factorial", () => {
  let factorial = 0;
  for (let n = 1; n < 170; n++) {
    factorial += Math.log(n);
    assertAlmostEquals(lgammaValue(n + 1), factorial, 1e-14 * Math.max(1, factorial), `${n}!`);
  }
});

Deno.test("lgammaValue() follows the recurrence Γ(x + 1) = x Γ(x)", () => {
  fc.assert(
    fc.property(fc.double({ min: -20, max: 50, noNaN: true }), (x) => {
      if (Math.abs(x - Math.round(x)) < 1e-3) return;
      const difference = lgammaValue(x + 1) - lgammaValue(x);
      assertAlmostEquals(difference, Math.log(Math.abs(x)), 2e-13);
    }),
    RUNS,
  );
});

Deno.test("polygammaValue() has 15 digits of 60-digit values, to the third derivative", () => {
  for (const [x, ...values] of POLYGAMMA) {
    values.forEach((expected, n) => {
      const tolerance = 1e-15 * Math.max(1, Math.abs(expected));
      assertAlmostEquals(polygammaValue(n, x!), expected, tolerance, `n = ${n}, x = ${x}`);
    });
  }
});

Deno.test("polygammaValue() follows the recurrence", () => {
  const factorials = [1, 1, 2, 6, 24];
  fc.assert(
    fc.property(fc.nat({ max: 4 }), fc.double({ min: 0.01, max: 30, noNaN: true }), (n, x) => {
      const step = (n % 2 === 0 ? 1 : -1) * factorials[n]! / x ** (n + 1);
      const [here, next] = [polygammaValue(n, x), polygammaValue(n, x + 1)];
      assertAlmostEquals(next, here + step, 4e-15 * Math.max(1, Math.abs(here)));
    }),
    RUNS,
  );
});

Deno.test("polygammaValue() is the derivative of the order below, on the negative side too", () => {
  const h = 1e-5;
  for (const x of [0.7, 3.2, 15.5, -0.3, -4.6]) {
    for (let n = 0; n < 3; n++) {
      const slope = (polygammaValue(n, x + h) - polygammaValue(n, x - h)) / (2 * h);
      const exact = polygammaValue(n + 1, x);
      assertAlmostEquals(slope, exact, 1e-6 * Math.max(1, Math.abs(exact)), `n = ${n}, x = ${x}`);
    }
  }
});

Deno.test("polygammaValue() at its poles is NaN where the sign changes, ∞ where it does not", () => {
  assertEquals([0, 1, 2, 3].map((n) => polygammaValue(n, -3)), [NaN, Infinity, NaN, Infinity]);
});

Deno.test("polygammaValue() at infinity is ∞, and its derivatives 0", () => {
  assertEquals([0, 1, 2].map((n) => polygammaValue(n, Infinity)), [Infinity, 0, 0]);
});
