/**
 * Threefry-2x32 with 20 rounds in WGSL, and draws of 52 bits from it: see `threefry.ts`.
 *
 * @module
 */

const ROTATIONS = [[13, 15, 26, 6], [17, 29, 16, 24]] as const;

/** The rounds of Threefry, four at a time, each time followed by the next words of the key. */
function rounds(): string {
  const words = ["k0", "k1", "k2"];
  return Array.from({ length: 5 }, (_, group) => {
    const mixes = ROTATIONS[group % 2]!.map((bits) =>
      `  x += y; y = ((y << ${bits}u) | (y >> ${32 - bits}u)) ^ x;`
    );
    const [first, second] = [words[(group + 1) % 3], words[(group + 2) % 3]];
    return [...mixes, `  x += ${first}; y += ${second} + ${group + 1}u;`].join("\n");
  }).join("\n");
}

/** The 64 bits of a counter under a key; `key` is a buffer of two `i32`. */
export const THREEFRY: string = `fn threefry(counter0: u32, counter1: u32) -> vec2u {
  let k0 = bitcast<u32>(key[0]);
  let k1 = bitcast<u32>(key[1]);
  let k2 = k0 ^ k1 ^ 0x1bd11bdau;
  var x = counter0 + k0;
  var y = counter1 + k1;
${rounds()}
  return vec2u(x, y);
}
`;

/**
 * An element's draw: the upper 32 and the lower 20 bits of the number N of a draw
 * `(N + ½) · 2⁻⁵²`, and the draw itself as float32, whose relative error is 2⁻²³ at most.
 */
export const DRAW: string = `${THREEFRY}
fn draw(element: u32, attempt: u32) -> vec2u {
  let bits = threefry(attempt, element);
  return vec2u(bits.x, bits.y >> 12u);
}

fn fraction(n: vec2u) -> f32 {
  if (n.x == 0u) { return (f32(n.y) + 0.5) * 0x1p-52f; }
  return f32(n.x) * 0x1p-32f + (f32(n.y) + 0.5) * 0x1p-52f;
}
`;
