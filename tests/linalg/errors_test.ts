/** What linear algebra says when it is misused. */
import { assertEquals, assertThrows } from "@std/assert";
import { ones, zeros } from "../../mod.ts";
import * as linalg from "../../src/linalg/mod.ts";

const call = (f: unknown, ...args: unknown[]) => () => (f as (...a: unknown[]) => void)(...args);

type Row = [call: () => void, kind: typeof TypeError | typeof RangeError, message: string];

const ROWS: Row[] = [
  ...(["cholesky", "inverse", "det", "logDet", "eigh"] as const).map((name): Row => [
    call(linalg[name], zeros([4, 2, 3])),
    TypeError,
    `${name} as a must have as many rows as columns: current shape is [4, 2, 3]`,
  ]),
  ...(["cholesky", "inverse", "det", "logDet", "eigh", "svd", "qr", "pinv"] as const).map((
    name,
  ): Row => [
    call(linalg[name], [1, 2]),
    TypeError,
    `${name} as a must be a matrix, or a batch of them: current shape is [2]`,
  ]),
  ...(["solve", "solveTriangular"] as const).flatMap((name): Row[] => [
    [
      call(linalg[name], ones([2, 3]), [1, 2]),
      TypeError,
      `${name} as a must have as many rows as columns: current shape is [2, 3]`,
    ],
    [
      call(linalg[name], ones([2, 2]), [1, 2, 3]),
      TypeError,
      `${name} as b must have as many rows as a: current shapes are [2, 2] and [3]`,
    ],
    [
      call(linalg[name], ones([2, 2]), ones([3, 1])),
      TypeError,
      `${name} as b must have as many rows as a: current shapes are [2, 2] and [3, 1]`,
    ],
    [
      call(linalg[name], ones([2, 2]), 1),
      TypeError,
      `${name} as b must have as many rows as a: current shapes are [2, 2] and []`,
    ],
    [
      call(linalg[name], ones([2, 2, 2]), ones([3, 2, 1])),
      TypeError,
      `${name} as the shapes do not broadcast: current shapes are [2] and [3]`,
    ],
  ]),
  [
    call(linalg.cholesky, [[1, 2], [2, 1]]),
    RangeError,
    "cholesky as a must be positive definite",
  ],
  [
    call(linalg.inverse, [[[1, 0], [0, 1]], [[1, 2], [2, 4]]]),
    RangeError,
    "inverse as a must be invertible: matrix 1 of the batch is not",
  ],
  [call(linalg.solve, [[1, 2], [2, 4]], [1, 2]), RangeError, "solve as a must be invertible"],
  [
    call(linalg.solveTriangular, [[0, 2], [2, 4]], [1, 2]),
    RangeError,
    "solveTriangular as a must have no 0 on its diagonal",
  ],
  [
    call(linalg.solveTriangular, [[1, 2], [2, 4]], [1, 2], { upper: true }),
    TypeError,
    "solveTriangular as there is no option upper: the options are lower, transpose",
  ],
  [
    call(linalg.solveTriangular, [[1, 2], [2, 4]], [1, 2], { lower: 1 }),
    TypeError,
    "solveTriangular as lower must be true or false: current value is 1",
  ],
  [
    call(linalg.solve, [[1, 2], [2, 4]], [1, 2], {}),
    TypeError,
    "solve as it takes nothing after b: current value is an object",
  ],
  [
    call(linalg.svd, [[1, 2]], { full: true }),
    TypeError,
    "svd as it takes nothing after a: current value is an object",
  ],
];

Deno.test("linear algebra says what is wrong, and which value it is", () => {
  for (const [f, kind, message] of ROWS) {
    const error = assertThrows(f, kind);
    assertEquals(error.message, `Cannot compute ${message}`);
  }
});
