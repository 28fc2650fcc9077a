/** The full text of every message of windows, convolutions, pools and resized images. */
import { assertEquals, assertThrows } from "@std/assert";
import * as cg from "../../../mod.ts";

/** Calls with what they throw and say after "Cannot compute NAME as ". */
const FAILURES: [name: string, kind: new () => Error, text: string, call: () => unknown][] = [
  [
    "slidingWindow",
    TypeError,
    "it needs a size: current value is undefined",
    () => cg.slidingWindow([1, 2], {} as never),
  ],
  [
    "slidingWindow",
    RangeError,
    "windows must fit: they reach over [5] of [4]",
    () => cg.slidingWindow(cg.ones([4]), { size: 3, dilation: 2 }),
  ],
  [
    "slidingWindow",
    RangeError,
    "size must be at least 1: current value is 0",
    () => cg.slidingWindow(cg.ones([4]), { size: 0 }),
  ],
  [
    "slidingWindow",
    RangeError,
    "axes names an axis twice: current value is [0,-1]",
    () => cg.slidingWindow(cg.ones([4]), { size: 1, axes: [0, -1] }),
  ],
  [
    "slidingWindow",
    TypeError,
    "stride must be one number, or one for each of 1 axes: " +
    "current value is [1, 2]",
    () => cg.slidingWindow(cg.ones([4]), { size: 2, stride: [1, 2] }),
  ],
  [
    "conv",
    TypeError,
    "x must be (batch, channels, …space) and kernel alike, with one to three " +
    "axes of space: current shapes are [4, 4] and [1, 1, 2]",
    () => cg.conv(cg.ones([4, 4]), cg.ones([1, 1, 2])),
  ],
  [
    "conv",
    TypeError,
    "kernel must have the channels of one group of x: current shapes are " +
    "[1, 4, 5] and [2, 4, 3], groups 2",
    () => cg.conv(cg.ones([1, 4, 5]), cg.ones([2, 4, 3]), { groups: 2 }),
  ],
  [
    "conv",
    TypeError,
    "kernel must have as many rows as x has channels: current shapes are " +
    "[1, 4, 5] and [2, 4, 3]",
    () => cg.conv(cg.ones([1, 4, 5]), cg.ones([2, 4, 3]), { transposed: true }),
  ],
  [
    "conv",
    TypeError,
    "channels must be a multiple of groups: current shapes are " +
    "[1, 4, 5] and [3, 2, 3], groups 2",
    () => cg.conv(cg.ones([1, 4, 5]), cg.ones([3, 2, 3]), { groups: 2 }),
  ],
  [
    "conv",
    TypeError,
    "a kernel must have at least one place: current shapes are " +
    "[1, 4, 5] and [3, 4, 0]",
    () => cg.conv(cg.ones([1, 4, 5]), cg.ones([3, 4, 0])),
  ],
  [
    "conv",
    RangeError,
    "windows must fit: they reach over [6] of [5]",
    () => cg.conv(cg.ones([1, 1, 5]), cg.ones([1, 1, 6])),
  ],
  [
    "conv",
    TypeError,
    "padding must be one of same, valid: current value is full",
    () => cg.conv(cg.ones([1, 1, 5]), cg.ones([1, 1, 2]), { padding: "full" as never }),
  ],
  [
    "conv",
    RangeError,
    "padding must be at least 0: current value is -1",
    () => cg.conv(cg.ones([1, 1, 5]), cg.ones([1, 1, 2]), { padding: -1 }),
  ],
  [
    "maxPool",
    TypeError,
    "x must be (batch, channels, …space): current shape is [4, 4]",
    () => cg.maxPool(cg.ones([4, 4]), 2),
  ],
  [
    "avgPool",
    RangeError,
    "padding must be at most half of the size: " +
    "current values are [2] and [3]",
    () => cg.avgPool(cg.ones([1, 1, 4]), 3, { padding: 2 }),
  ],
  [
    "avgPool",
    RangeError,
    "windows must fit: they reach over [5, 5] of [4, 6]",
    () => cg.avgPool(cg.ones([1, 1, 4, 6]), 5),
  ],
  [
    "resize",
    TypeError,
    "x must be (batch, channels, …space), with at least one place: " +
    "current shape is [1, 1, 0]",
    () => cg.resize(cg.ones([1, 1, 0]), 2),
  ],
  [
    "resize",
    RangeError,
    "space must be at least 1: current value is 0",
    () => cg.resize(cg.ones([1, 1, 2]), 0),
  ],
  [
    "resize",
    TypeError,
    "mode must be one of nearest, linear: current value is cubic",
    () => cg.resize(cg.ones([1, 1, 2]), 3, { mode: "cubic" as never }),
  ],
];

for (const [name, kind, text, call] of FAILURES) {
  Deno.test(`${name}() says that ${text}`, () => {
    assertEquals(assertThrows(call, kind).message, `Cannot compute ${name} as ${text}`);
  });
}
