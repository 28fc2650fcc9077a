/**
 * The standard normal quantile in WGSL (Wichura, "Algorithm AS 241", Applied Statistics 37, 1988,
 * https://doi.org/10.2307/2347330): the rational approximations for seven digits.
 *
 * @module
 */

/**
 * The quantile of a draw of 52 bits. Near the middle it is a function of the distance from ½, else
 * of the distance from the nearer end; both come from the bits without cancellation.
 */
export const QUANTILE = `fn normalQuantile(n: vec2u) -> f32 {
  let isUpper = (n.x & 0x80000000u) != 0u;
  // The distance of N + ½ from the middle, and from the nearer end.
  let central = select(~n, n, isUpper) & vec2u(0x7fffffffu, 0xfffffu);
  let outer = select(n, ~n, isUpper) & vec2u(0x7fffffffu, 0xfffffu);
  let q = fraction(central);
  var z = 0.0;
  if (q <= 0.425) {
    let r = 0.180625 - q * q;
    z = q * (((59.10937472 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179) /
      (((67.1875636 * r + 78.757757664) * r + 17.895169469) * r + 1.0);
  } else {
    let r = sqrt(-log(fraction(outer)));
    if (r <= 5.0) {
      let s = r - 1.6;
      z = (((0.17023821103 * s + 1.3067284816) * s + 2.75681539) * s + 1.4234372777) /
        ((0.12021132975 * s + 0.7370016425) * s + 1.0);
    } else {
      let s = r - 5.0;
      z = (((0.017337203997 * s + 0.42868294337) * s + 3.081226386) * s + 6.657905115) /
        ((0.012258202635 * s + 0.24197894225) * s + 1.0);
    }
  }
  return select(-z, z, isUpper);
}
`;
