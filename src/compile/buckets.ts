/**
 * Buckets: numbers of rows that are rounded up, so that few programs serve them all.
 *
 * @module
 */
import type { Spec } from "../op.ts";
import { broadcastTo, concat, slice } from "../ops/mod.ts";
import type { Graph } from "../program/graph.ts";
import { rowWiseOutputs } from "../program/row_wise.ts";
import { sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** How a call is brought to more rows. */
export interface Padding {
  /** How many rows are given. */
  readonly rows: number;
  /** How many the program has. */
  readonly padded: number;
  /** Which leaves of the arguments have them. */
  readonly given: readonly boolean[];
  /** Which outputs do. */
  readonly made: readonly boolean[];
}

/** What is known of so many sets of shapes at most: some words each. */
const MOST_KNOWN = 1024;

/** How many of them are shown. */
const MOST_SHOWN = 8;

/** Which calls are brought to more rows. */
export class Buckets {
  readonly #examples: readonly Spec[];
  readonly #known = new Map<string, Padding | undefined>();

  /** The rows of arguments are those along whose first axis they differ from the examples. */
  constructor(examples: readonly Spec[]) {
    this.#examples = examples.map(({ shape, dtype }) => ({ shape, dtype }));
  }

  /**
   * How arguments with this signature are brought to more rows; `undefined` where the function, as
   * `record` writes it down for given shapes, might notice.
   */
  find(
    key: string,
    leaves: readonly Tensor[],
    record: (specs: readonly Spec[]) => Graph,
  ): Padding | undefined {
    if (this.#known.has(key)) return this.#known.get(key);
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    const padding = this.#make(leaves, record);
    this.#known.set(key, padding);
    return padding;
  }

  /** How many numbers of rows are rounded up, and how many are not. */
  explain(): string {
    const found = [...this.#known.values()];
    const padded = found.filter((padding) => padding !== undefined);
    const steps = padded.map(({ rows, padded }) => `${rows} to ${padded}`);
    return `buckets: ${found.length} sets of shapes seen, of which ${padded.length} are rounded up` +
      (steps.length === 0 ? "" : `, rows from ${steps.slice(0, MOST_SHOWN).join(", ")}`) +
      (steps.length > MOST_SHOWN ? ", …" : "");
  }

  #make(
    leaves: readonly Tensor[],
    record: (specs: readonly Spec[]) => Graph,
  ): Padding | undefined {
    const rows = this.#rowsOf(leaves);
    if (rows === undefined) return undefined;
    const { given, count, usual } = rows;
    const power = 2 ** Math.ceil(Math.log2(count));
    const padded = count < usual ? Math.min(power, usual) : power;
    if (padded === count) return undefined;
    const specs = leaves.map(({ shape, dtype }, i): Spec =>
      given[i] ? { shape: [padded, ...shape.slice(1)], dtype } : { shape, dtype }
    );
    try {
      const made = rowWiseOutputs(record(leaves), record(specs), count, padded);
      return made && { rows: count, padded, given, made };
    } catch {
      // What is wrong with the function, it says again at the shapes as they are.
      return undefined;
    }
  }

  /** Which leaves have another number of rows than their examples, how many, and the usual number. */
  #rowsOf(
    leaves: readonly Tensor[],
  ): { given: boolean[]; count: number; usual: number } | undefined {
    const examples = this.#examples;
    if (leaves.length !== examples.length) return undefined;
    const given = leaves.map(({ shape }, i) => !sameShape(shape, examples[i]!.shape));
    const first = given.indexOf(true);
    const [count, usual] = [leaves[first]?.shape[0], examples[first]?.shape[0]];
    const fits = leaves.every(({ shape: [n, ...rest], dtype }, i) => {
      const { shape: [own, ...others], dtype: type } = examples[i]!;
      const isAlike = n === count && own === usual && sameShape(rest, others);
      return dtype === type && (!given[i] || isAlike);
    });
    return fits && count && usual !== undefined ? { given, count, usual } : undefined;
  }
}

/** Arguments with copies of their last row behind it, which no check refuses that lets it pass. */
export function padLeaves(leaves: readonly Tensor[], { given, rows, padded }: Padding): Tensor[] {
  return leaves.map((x, i) => {
    if (!given[i]) return x;
    const others = [padded - rows, ...x.shape.slice(1)];
    return concat([x, broadcastTo(slice(x, rows - 1, rows), others)]);
  });
}

/** Outputs without what was made of those copies. */
export function cutOutputs(outputs: readonly Tensor[], { rows, padded, made }: Padding): Tensor[] {
  return outputs.map((y, i) => made[i] ? slice(y, 0, y.shape[0]! / padded * rows) : y);
}
