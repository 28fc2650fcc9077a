/**
 * Functions of one number from additions, multiplications, divisions and square roots alone.
 *
 * IEEE 754 fixes the last bit of those four, so these give the same number everywhere;
 * `Math.log` and `Math.exp` differ from engine to engine. Within 2 units in the last place of the
 * true value.
 *
 * @module
 */

/** One number, and its two halves: the upper one holds sign, exponent and leading digits. */
const whole = new Float64Array(1);
const halves = new Int32Array(whole.buffer);
whole[0] = 1;
const UPPER = halves[1] === 0 ? 0 : 1;

/** log 2 in two parts, the first short enough that a multiple of it by an exponent is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** `2^k` for k in [−1022, 1023]. */
function powerOfTwo(k: number): number {
  halves[1 - UPPER] = 0;
  halves[UPPER] = k + 1023 << 20;
  return whole[0]!;
}

/**
 * The natural logarithm. With x = 2ᵏ(1 + f) and s = f/(2 + f), log(1 + f) is 2·artanh(s), a series
 * in s² ≤ 0.03, summed such that its leading part f stays exact.
 */
export function portableLog(x: number): number {
  if (!(x > 0) || x === Infinity) return x === 0 ? -Infinity : x > 0 ? x : NaN;
  let k = 0;
  if (x < 2 ** -1022) {
    x *= 2 ** 54;
    k = -54;
  }
  whole[0] = x;
  const upper = halves[UPPER]!;
  const digits = upper & 0xfffff;
  const above = digits >= 0x6a09e ? 1 : 0;
  k += (upper >> 20) - 1023 + above;
  halves[UPPER] = digits | 1023 - above << 20;
  const f = whole[0]! - 1;
  const s = f / (2 + f);
  const z = s * s;
  const series = z * (2 / 3 + z * (2 / 5 + z * (2 / 7 + z * (2 / 9 + z * (2 / 11 +
                    z * (2 / 13 + z * (2 / 15 + z * (2 / 17 + z * (2 / 19 + z * (2 / 21))))))))));
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + series) + k * LN2_LOW) - f);
}

/** The exponential: Taylor's series within half a factor of two of 1, times a power of two. */
export function portableExp(x: number): number {
  if (x !== x) return NaN;
  if (x > 709.782712893384) return Infinity;
  if (x < -745.1332191019412) return 0;
  const k = Math.floor(x * 1.4426950408889634 + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  const series = r * r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 +
                    r * (1 / 5040 + r * (1 / 40320 + r * (1 / 362880 + r * (1 / 3628800 +
                                    r *
                                      (1 / 39916800 +
                                        r * (1 / 479001600 + r * (1 / 6227020800))))))))))));
  const y = 1 + (r + series);
  if (k < -1021) return y * powerOfTwo(k + 54) * 2 ** -54;
  return k > 1023 ? y * 2 * powerOfTwo(k - 1) : y * powerOfTwo(k);
}

/** `log k!` for a whole k ≥ 0: of the exact product, then Stirling's series. */
export function portableLogFactorial(k: number): number {
  if (k < 16) {
    let product = 1;
    for (let i = 2; i <= k; i++) product *= i;
    return portableLog(product);
  }
  const z = 1 / (k * k);
  const series = (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680)))) / k;
  return (k + 0.5) * portableLog(k) - k + 0.9189385332046727 + series;
}

/**
 * The standard normal quantile: the number below which a normal variable falls with probability
 * `p` in (0, 1). Relative error below 1e-15 (rational approximations of Wichura, "Algorithm
 * AS 241", Applied Statistics 37, 1988, https://doi.org/10.2307/2347330).
 */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (q <= 0.425 && q >= -0.425) {
    const r = 0.180625 - q * q;
    return q *
      (((((((2509.0809287301227 * r + 33430.575583588128) * r + 67265.7709270087) * r +
                        45921.95393154987) * r + 13731.69376550946) * r + 1971.5909503065514) * r +
            133.14166789178438) * r + 3.3871328727963665) /
      (((((((5226.495278852854 * r + 28729.085735721943) * r + 39307.89580009271) * r +
                        21213.794301586597) * r + 5394.196021424751) * r + 687.1870074920579) * r +
            42.31333070160091) * r + 1);
  }
  const r = Math.sqrt(-portableLog(q < 0 ? p : 1 - p));
  const z = r <= 5 ? nearTail(r - 1.6) : farTail(r - 5);
  return q < 0 ? -z : z;
}

function nearTail(r: number): number {
  return (((((((7.745450142783414e-4 * r + 0.022723844989269184) * r + 0.2417807251774506) * r +
                    1.2704582524523684) * r + 3.6478483247632045) * r + 5.769497221460691) * r +
        4.630337846156546) * r + 1.4234371107496835) /
    (((((((1.0507500716444169e-9 * r + 5.475938084995345e-4) * r + 0.015198666563616457) * r +
                      0.14810397642748008) * r + 0.6897673349851) * r + 1.6763848301838038) * r +
          2.053191626637759) * r + 1);
}

function farTail(r: number): number {
  return (((((((2.0103343992922881e-7 * r + 2.7115555687434876e-5) * r + 0.0012426609473880784) *
                      r + 0.026532189526576124) * r + 0.29656057182850487) * r +
            1.7848265399172913) *
          r + 5.463784911164114) * r + 6.657904643501103) /
    (((((((2.0442631033899397e-15 * r + 1.4215117583164459e-7) * r + 1.8463183175100548e-5) * r +
                      7.868691311456133e-4) * r + 0.014875361290850615) * r + 0.1369298809227358) *
            r +
          0.599832206555888) * r + 1);
}
