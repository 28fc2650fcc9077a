// Type-checked only: what may and what must not be done with the values of tensors.
import { assertEquals } from "@std/assert";
import { type NestedArray, tensor, type TypedArray } from "../../mod.ts";
import { type Column, type NumericColumn, openAnnData } from "../../src/data/mod.ts";

/** Wants a value of a type. */
declare function is<T>(value: T): void;

const x = tensor([[1, 2], [3, 4]]);
const { data } = x;

is<number>(data.reduce((a, b) => a + b));
is<number>(data.reduce((a, b) => Math.max(a, b), -Infinity));
is<string>(data.reduce((text, value, i) => `${text}${value.toFixed(i)}`, ""));
is<number[]>(data.reduce<number[]>((all, value) => [...all, value], []));
is<number>(data.reduceRight((a, b) => a - b));
is<TypedArray>(data.map((value, i) => value * i));
is<number>(data.filter((value) => value > 0).map((value) => value + 1).slice(1).length);
is<number | undefined>(data.find((value) => value > 0)?.valueOf());
is<number>(data.findIndex((value) => value > 0));
is<boolean>(data.every((value) => value > 0) && data.some((value) => value > 0));
is<string>(data.subarray(1).map((value) => value + 1).join());
is<number>(data[0]!);
is<number | undefined>(data.at(-1));
is<number[]>(Array.from(data));
is<string[]>(Array.from(data, (value, i) => value.toFixed(i)));
is<number[]>([...data]);
is<Set<number>>(new Set(data));
is<number>(Math.max(...data));
is<Float64Array>(Float64Array.from(data));
is<[number, number][]>([...data.entries()]);
data.forEach((value, i) => is<string>(value.toFixed(i)));
for (const value of data) is<string>(value.toFixed());
is<TypedArray>(new Float32Array(2));
is<TypedArray>(new Uint8Array(2));
tensor(data);
if (data instanceof Float32Array) is<Float32Array>(data);
x.read().then((values) => values.map((value) => value + 1));
// @ts-expect-error: bigints are no values
is<TypedArray>(new BigInt64Array(2));
// @ts-expect-error: an array of numbers is no typed array
is<TypedArray>([1, 2]);
// @ts-expect-error: values are numbers
data.map((value) => value.toUpperCase());
// @ts-expect-error: values are made of numbers
data.map((value) => `${value}`);
// @ts-expect-error: the sum of numbers is a number
is<string>(data.reduce((a, b) => a + b, 0));
// @ts-expect-error: the tensor owns its values
x.data = new Float32Array(4);

is<number>(x.toArray()[0][0]);
is<number[][]>(x.toArray());
is<number[]>(x.toArray());
is<number>(x.toArray());
is<boolean[]>(x.toArray());
is<boolean>(x.toArray());
is<number[][]>(x.toArray().map((row) => row.map((value) => 2 * value)));
is<string[]>(x.toArray().flatMap((row) => row.map((value) => value.toFixed())));
is<number>(x.toArray().reduce((sum, row) => sum + row.length, 0));
for (const row of x.toArray()) for (const value of row) is<string>(value.toFixed());
const [[first]] = x.toArray();
is<number>(first);
tensor(x.toArray());
assertEquals(x.toArray(), [[1, 2], [3, 4]]);
assertEquals(x.toArray(), [true, false]);
assertEquals(x.toArray()[0], [1, 2]);
assertEquals({ x: x.toArray() }, { x: [[1]] });
const values: NestedArray = x.toArray();
if (typeof values === "number") is<string>(values.toFixed());
else if (typeof values === "boolean") is<boolean>(values);
else is<number>(values.length);
// @ts-expect-error: no tensor holds text
is<string>(x.toArray());
// @ts-expect-error: no tensor holds text
is<string[][]>(x.toArray());
// @ts-expect-error: nested arrays are no objects
is<{ shape: number[] }>(x.toArray());
// @ts-expect-error: numbers have no such method
x.toArray().map((row) => row.toUpperCase());

is<readonly number[]>(x.toJSON().shape);
is<(number | string | boolean)[] | undefined>(x.toJSON().values);
is<string>(JSON.stringify(x));

declare const column: NumericColumn;
is<number>(column.values.reduce((a, b) => a + b, 0));
declare const either: Column;
if (either.kind === "numeric") either.values.map((value) => value + 1);
if (either.kind === "bigint") is<bigint>(either.values[0]! + 1n);
// @ts-expect-error: not all columns hold numbers
is<number | string>(either.kind === "categorical" ? 0 : either.values[0]!);
openAnnData("cells.h5ad", { integers: "bigint" });
// @ts-expect-error: there is no such type
openAnnData("cells.h5ad", { integers: "int64" });
// @ts-expect-error: only categories have names
is<string[]>(either.categories);
