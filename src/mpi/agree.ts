/**
 * Whether all ranks are about to do the same with tensors of the same shapes.
 *
 * @module
 */
import { hashText } from "../hash.ts";
import { formatShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Transport } from "./transport.ts";

/** What a rank is about to do. */
export interface Call {
  /** What is called, such as `allReduce (sum)`. */
  readonly name: string;
  /** The types and shapes of what is given, in order. */
  readonly tensors: readonly string[];
  /** A number from 0 to 2³¹ − 1 that stands for both. */
  readonly signature: number;
}

/** A call with these tensors; of `rows`, the numbers of rows are left out. */
export function callOf(
  name: string,
  tensors: readonly Pick<Tensor, "dtype" | "shape">[],
  { rows = false }: { rows?: boolean } = {},
): Call {
  const described = tensors.map(({ dtype, shape }) =>
    rows ? `rows of ${dtype} ${formatShape(shape.slice(1))}` : `${dtype} ${formatShape(shape)}`
  );
  return {
    name,
    tensors: described,
    signature: hashText([name, ...described].join("\n")) >>> 1,
  };
}

/**
 * Lets ranks compare what they are about to do, in a message of the same eight bytes whatever that
 * is: so they find out where their calls differ, and do not wait for one another.
 *
 * @param transport The ranks.
 * @param call What this rank is about to do.
 * @throws {TypeError} On every rank, if calls differ: names a rank that differs from most, and what
 * both of them give.
 */
export function agree(transport: Transport, call: Call): void {
  if (transport.size === 1) return;
  const range = Int32Array.of(call.signature, -call.signature);
  transport.allReduce(range, "max");
  if (range[0] === -range[1]!) return;
  throw difference(call.name, gatherCalls(transport, call));
}

/** The calls of all ranks, on every rank. */
function gatherCalls(transport: Transport, { name, tensors }: Call): Omit<Call, "signature">[] {
  const { rank, size } = transport;
  const own = new TextEncoder().encode(JSON.stringify({ name, tensors }));
  const lengths = new Int32Array(size);
  lengths[rank] = own.length;
  transport.allGather(lengths, new Array(size).fill(1));
  const ends: number[] = [];
  for (const length of lengths) ends.push((ends.at(-1) ?? 0) + length);
  const bytes = new Uint8Array(ends.at(-1)!);
  bytes.set(own, ends[rank]! - own.length);
  transport.allGather(bytes, [...lengths]);
  return ends.map((end, r) =>
    JSON.parse(new TextDecoder().decode(bytes.subarray(end - lengths[r]!, end)))
  );
}

/** The error where not all ranks call the same. */
function difference(own: string, calls: readonly Omit<Call, "signature">[]): TypeError {
  const texts = calls.map((call) => JSON.stringify(call));
  const usual = commonest(texts);
  const odd = texts.findIndex((text) => text !== usual);
  const [a, b] = [calls[odd]!, calls[texts.indexOf(usual)]!];
  const ranks = texts.flatMap((text, rank) => text === usual ? [] : [rank]);
  const said = a.name === b.name
    ? tensorsOf(a.tensors, b.tensors)
    : [`calls ${a.name}`, `calls ${b.name}`];
  const more = ranks.length > 1 ? ` (ranks that differ: ${ranks.join(", ")})` : "";
  return new TypeError(
    `Cannot compute ${own.replace(/ \(.*/, "")} as all ranks must give trees of the same ` +
      `branches, shapes and types, in the same order of calls: rank ${odd} ${said[0]}, and rank ` +
      `${texts.indexOf(usual)} ${said[1]}${more}`,
  );
}

/** What two ranks give where it first differs. */
function tensorsOf(a: readonly string[], b: readonly string[]): [string, string] {
  if (a.length !== b.length) return [`gives ${a.length} tensors`, `${b.length}`];
  const at = a.findIndex((text, i) => text !== b[i]);
  const place = a.length === 1 ? "" : ` as tensor ${at + 1} of ${a.length}`;
  return [`gives ${a[at]}${place}`, `gives ${b[at]}`];
}

/** The text that occurs most often; of several, the first. */
export function commonest(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].reduce((best, next) => next[1] > best[1] ? next : best)[0];
}
