import { assert, assertEquals, assertRejects } from "@std/assert";
import type { CategoricalColumn } from "../../src/data/column.ts";
import { openFrame } from "../../src/data/frame.ts";
import {
  type Attributes,
  type Branch,
  branch,
  categorical,
  flags,
  frame,
  type Leaf,
  leaf,
  mapping,
  nullable,
  stored,
} from "./tree.ts";

const CELLS = ["c0", "c1", "c2"];

/** The column "x" of a data frame that lies in memory. */
async function read(column: Leaf | Branch, more: Branch["members"] = {}): Promise<unknown> {
  const obs = frame(CELLS, { x: column });
  const tree = mapping({ obs: { ...obs, members: { ...obs.members, ...more } } });
  const opened = await openFrame("cells.h5ad", stored(tree), "obs");
  return await opened.read("x");
}

async function complaint(column: Leaf | Branch, more?: Branch["members"]): Promise<string> {
  return (await assertRejects(() => read(column, more), SyntaxError)).message;
}

async function names(index: Leaf | Branch): Promise<string[]> {
  const obs = frame([], {});
  const tree = mapping({ obs: { ...obs, members: { _index: index } } });
  return await (await openFrame("cells.h5ad", stored(tree), "obs")).names();
}

Deno.test("Frame.read() reads integers of any size as int32", async () => {
  for (const type of [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array]) {
    const values = Int32Array.of(1, 2, 100);
    assertEquals(await read(leaf(type.of(1, 2, 100))), { kind: "numeric", values });
  }
  for (const type of [BigInt64Array, BigUint64Array]) {
    const values = Int32Array.of(1, 2, 100);
    assertEquals(await read(leaf(type.of(1n, 2n, 100n))), { kind: "numeric", values });
  }
});

Deno.test("Frame.read() keeps negative and extreme 64-bit integers", async () => {
  const extremes = BigInt64Array.of(-1n, -(2n ** 31n), 2n ** 31n - 1n);
  const values = Int32Array.of(-1, -(2 ** 31), 2 ** 31 - 1);
  assertEquals(await read(leaf(extremes)), { kind: "numeric", values });
});

for (
  const [name, values, shown] of [
    ["an int64 above", BigInt64Array.of(0n, 2n ** 31n, 0n), "2147483648"],
    ["an int64 below", BigInt64Array.of(0n, -(2n ** 31n) - 1n, 0n), "-2147483649"],
    ["an int64 far above", BigInt64Array.of(0n, 2n ** 62n + 5n, 0n), "4611686018427387909"],
    ["a uint64 above", BigUint64Array.of(0n, 2n ** 64n - 1n, 0n), "18446744073709551615"],
    ["a uint64 just above", BigUint64Array.of(0n, 2n ** 31n, 0n), "2147483648"],
    ["a uint32 above", Uint32Array.of(0, 2 ** 32 - 1, 0), "4294967295"],
  ] as const
) {
  Deno.test(`Frame.read() refuses ${name} the range of int32`, async () => {
    const error = await assertRejects(() => read(leaf(values)), RangeError);
    assertEquals(
      error.message,
      'Cannot read "obs/x" of "cells.h5ad" as int32 cannot hold its values: they must be in ' +
        `[-2147483648, 2147483647]: current value is ${shown}`,
    );
  });
}

Deno.test("Frame.read() reads booleans", async () => {
  const values = Uint8Array.of(1, 0, 1);
  assertEquals(await read(flags([true, false, true])), { kind: "boolean", values });
});

Deno.test("Frame.read() reads categories that have missing values themselves as text", async () => {
  const column = categorical([0, 1, -1], []);
  column.members["categories"] = nullable("nullable-string-array", leaf(["a", "b"]), [
    false,
    false,
  ]);
  assertEquals(await read(column), {
    kind: "categorical",
    codes: Int32Array.of(0, 1, -1),
    categories: ["a", "b"],
    ordered: false,
  });
});

Deno.test("Frame.read() reads categories of AnnData 0.7, which lie beside the columns", async () => {
  const codes = leaf(Int8Array.of(1, 0, -1));
  codes.attributes = { categories: "__categories/x" };
  const categories = leaf(["a", "b"]);
  categories.attributes = { ordered: true };
  assertEquals(await read(codes, { __categories: mapping({ x: categories }) }), {
    kind: "categorical",
    codes: Int32Array.of(1, 0, -1),
    categories: ["a", "b"],
    ordered: true,
  });
});

Deno.test("Frame.read() does not take codes for numbers where their categories are missing", async () => {
  const codes = leaf(Int8Array.of(1, 0, -1));
  codes.attributes = { categories: "__categories/x" };
  assertEquals(
    await complaint(codes),
    'Cannot read "obs/x" of "cells.h5ad" as its categories are missing',
  );
});

for (const wrong of [-2, 2]) {
  Deno.test(`Frame.read() refuses the code ${wrong} of two categories`, async () => {
    assertEquals(
      await complaint(categorical([0, wrong, 1], ["a", "b"])),
      'Cannot read "obs/x/codes" of "cells.h5ad" as its codes must be in [-1, 1]: ' +
        `current value is ${wrong}`,
    );
  });
}

Deno.test("Frame.read() reads whether categories have an order, in an array of one or not", async () => {
  const codes = leaf(Int8Array.of(1, 0, -1));
  codes.attributes = { categories: "__categories/x" };
  for (const flag of [true, false, 1, 0, [true], [false], Uint8Array.of(0), Int32Array.of(1)]) {
    const ordered = Boolean(typeof flag === "object" ? flag[0] : flag);
    const column = categorical([1, 0, -1], ["a", "b"]);
    const attributes = { ...column.attributes, ordered: flag } as Attributes;
    const categories = { ...leaf(["a", "b"]), attributes };
    for (
      const [node, more] of [
        [{ ...column, attributes }, {}],
        [codes, { __categories: mapping({ x: categories }) }],
      ] as const
    ) {
      assertEquals((await read(node, more) as CategoricalColumn).ordered, ordered);
    }
  }
  for (const wrong of ["False", 2, [true, false], []]) {
    const attributes = { ...categorical([], []).attributes, ordered: wrong } as Attributes;
    const error = await complaint({ ...categorical([0, 0, 0], ["a"]), attributes });
    assert(error.startsWith(
      'Cannot read "obs/x" of "cells.h5ad" as its attribute ordered must be true or false: ',
    ));
  }
});

Deno.test("Frame.read() refuses columns whose parts do not fit, and normalises none", async () => {
  const nulls = (values: Leaf, mask: Leaf, type = "nullable-integer") =>
    branch(type, "0.1.0", { values, mask });
  const three = leaf(Int32Array.of(1, 0, 1));
  const wide = leaf(Int32Array.of(0, 0, 0), [3, 1]);
  const codes = (values: Leaf, categories: Leaf = leaf(["a", "b"])) =>
    branch("categorical", "0.2.0", { codes: values, categories });
  const cases: [Leaf | Branch, string, string][] = [
    [nulls(three, flags([true])), "", "its mask must have 3 values, as many as values: it has 1"],
    [nulls(three, leaf(Uint8Array.of(0, 2, 0))), "/mask", "its values must be 0 or 1: current"],
    [nulls(three, leaf(Float64Array.of(0, NaN, 0))), "/mask", "its values must be 0 or 1: current"],
    [nulls(three, wide), "/mask", "it must have one axis: its shape is [3, 1]"],
    [nulls(wide, flags([true])), "/values", "it must have one axis: its shape is [3, 1]"],
    [
      nulls(leaf(Int32Array.of(0, 256, 1)), flags([false, false, true]), "nullable-boolean"),
      "/values",
      "its values must be 0 or 1: current value is 256",
    ],
    [codes(leaf(Float32Array.of(0, 0.5, 1))), "/codes", "its codes must be in [-1, 1]: current"],
    [codes(leaf(Float32Array.of(0, NaN, 1))), "/codes", "its codes must be in [-1, 1]: current"],
    [codes(wide), "/codes", "it must have one axis: its shape is [3, 1]"],
    [codes(three, leaf(["a", "b"], [2, 1])), "/categories", "it must have one axis: its shape"],
    [codes(three, leaf(["a", "a"])), "/categories", 'categories must differ: "a" is there twice'],
    [wide, "", "it must have one axis: its shape is [3, 1]"],
    [leaf(["a", "b", "c"], [3, 1]), "", "it must have one axis: its shape is [3, 1]"],
  ];
  for (const [column, part, why] of cases) {
    const error = await complaint(column);
    assertEquals(
      error.slice(0, error.indexOf(why)),
      `Cannot read "obs/x${part}" of "cells.h5ad" as `,
    );
  }
});

Deno.test("Frame.read() takes zeros and ones of any type for flags, whatever lies under a mask", async () => {
  for (const Kind of [Uint8Array, Int32Array, Float64Array]) {
    const mask = leaf(Kind.of(0, 0, 1));
    const column = branch("nullable-boolean", "0.1.0", { values: leaf(Kind.of(1, 0, 7)), mask });
    assertEquals(await read(column), {
      kind: "boolean",
      values: Uint8Array.of(1, 0, 0),
      missing: Uint8Array.of(0, 0, 1),
    });
  }
});

Deno.test("categories and names that are booleans are spelled as Python spells them", async () => {
  const column = categorical([1, 0, -1], []);
  column.members["categories"] = flags([false, true]);
  const { categories } = await read(column) as CategoricalColumn;
  assertEquals(categories, ["False", "True"]);
  assertEquals(await names(flags([true, false])), ["True", "False"]);
});

Deno.test("Frame.read() refuses a column of another length than its data frame", async () => {
  assertEquals(
    await complaint(leaf(Float32Array.of(1, 2))),
    'Cannot read "obs/x" of "cells.h5ad" as it must have 3 values: it has 2',
  );
  assertEquals(
    await complaint(categorical([0, 0, 0, 0], ["a"])),
    'Cannot read "obs/x" of "cells.h5ad" as it must have 3 values: it has 4',
  );
});

Deno.test("Frame.read() names an encoding that it does not know", async () => {
  assertEquals(
    await complaint(branch("awkward-array", "0.1.0", {})),
    'Cannot read "obs/x" of "cells.h5ad" as its encoding-type must be categorical, ' +
      "nullable-integer, nullable-float, nullable-boolean, nullable-string-array: " +
      "current value is awkward-array",
  );
});

Deno.test("Frame.read() names a part that a column lacks", async () => {
  assertEquals(
    await complaint(branch("categorical", "0.2.0", {})),
    'Cannot read "obs/x" of "cells.h5ad" as it must have an array "codes"',
  );
});

Deno.test("Frame.read() says that a column is named but not there", async () => {
  const obs = frame(CELLS, {});
  obs.attributes = { ...obs.attributes, "column-order": ["x"] };
  const opened = await openFrame("cells.h5ad", stored(mapping({ obs })), "obs");
  const error = await assertRejects(() => opened.read("x"), SyntaxError);
  assertEquals(
    error.message,
    'Cannot read "obs/x" of "cells.h5ad" as column-order names it but it is not there',
  );
});

Deno.test("Frame.read() does not look at the numbers that are missing", async () => {
  for (const values of [BigInt64Array.of(1n, 2n ** 62n, -1n), Uint32Array.of(1, 2 ** 32 - 1, 7)]) {
    const column = nullable("nullable-integer", leaf(values), [false, true, false]);
    const [first, , last] = values;
    assertEquals(await read(column), {
      kind: "numeric",
      values: Int32Array.of(Number(first), 0, Number(last)),
      missing: Uint8Array.of(0, 1, 0),
    });
  }
});

Deno.test("Frame.names() reads names that are numbers, categories or nullable text", async () => {
  assertEquals(await names(leaf(BigInt64Array.of(7n, 8n))), ["7", "8"]);
  assertEquals(await names(categorical([1, 0], ["a", "b"])), ["b", "a"]);
  const text = nullable("nullable-string-array", leaf(["a", "?"]), [false, true]);
  assertEquals(await names(text), ["a", ""]);
});

Deno.test("openFrame() takes a single column whose name is not in an array, as R writes it", async () => {
  const obs = frame(CELLS, { x: leaf(Int32Array.of(1, 2, 3)) });
  obs.attributes = { ...obs.attributes, "column-order": "x", "encoding-type": ["dataframe"] };
  const opened = await openFrame("cells.h5ad", stored(mapping({ obs })), "obs");
  assertEquals(opened.columns, ["x"]);
});

Deno.test("openFrame() refuses a list of columns that is none", async () => {
  for (const wrong of [5, [1, 2]]) {
    const obs = frame(CELLS, {});
    obs.attributes = { ...obs.attributes, "column-order": wrong as number[] };
    const root = stored(mapping({ obs }));
    await assertRejects(
      () => openFrame("cells.h5ad", root, "obs"),
      SyntaxError,
      '"obs" of "cells.h5ad" as column-order must be texts: current value is',
    );
  }
});

Deno.test("openFrame() refuses a group that is no data frame", async () => {
  const root = stored(mapping({ obs: mapping({}) }));
  const error = await assertRejects(() => openFrame("cells.h5ad", root, "obs"), SyntaxError);
  assertEquals(
    error.message,
    'Cannot read "obs" of "cells.h5ad" as it must be a dataframe with an _index: ' +
      "its encoding-type is dict",
  );
});
