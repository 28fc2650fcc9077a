/** For every record in the tables of the operations, what `vmap` of it must be equal to. */
import fc from "fast-check";
import { cast, type Tensor } from "../../mod.ts";
import type { Op } from "../../src/op.ts";
import { fromData, type Source, Tensor as AnyTensor } from "../../src/tensor.ts";
import { apply, nextLevel, type Trace } from "../../src/trace.ts";
import { broadcastable, numbers, tensors } from "../ops/arbitraries.ts";
import { ROWS as ELEMENTWISE } from "../ops/elementwise_table.ts";
import { ROWS as STRUCTURAL } from "../ops/structural_table.ts";
import { type Law, turns } from "./vmap_law.ts";

/** How many rows there are. */
export const COUNT = 3;

/** Which inputs are mapped, at least one of them. */
const masks = (length: number) =>
  fc.array(fc.boolean(), { minLength: length, maxLength: length }).filter((m) => m.includes(true));

function elementwiseLaws(row: typeof ELEMENTWISE[number]): fc.Arbitrary<Law> {
  const { call, domain, kinks, differentiable } = row;
  return fc.tuple(broadcastable(domain.length), masks(domain.length)).chain(([shapes, isMapped]) =>
    fc.tuple(
      ...shapes.map((shape, i) =>
        fc.array(tensors(shape, numbers(domain[i]!, kinks)), { minLength: COUNT, maxLength: COUNT })
      ),
    ).map((rows): Law => ({
      f: call,
      rows,
      isMapped,
      gradients: differentiable.length > 0,
    }))
  );
}

/** Notes with which inputs and parameters an operation is done. */
class Spy implements Trace {
  readonly level: number = nextLevel();
  readonly caller = "the spy";
  readonly calls: { op: Op<unknown>; inputs: Tensor[]; params: unknown }[] = [];

  watch(value: Tensor): Tensor {
    const source: Source = { data: () => value.data, read: () => value.read() };
    return new AnyTensor(value.shape, value.dtype, source, this);
  }

  process<P>(op: Op<P>, inputs: readonly Tensor[], params: P): Tensor {
    const plain = inputs.map((x) => x.trace === this ? fromData(x.data, x.shape, x.dtype) : x);
    this.calls.push({ op: op as Op<unknown>, inputs: plain, params });
    return this.watch(apply(op, plain, params));
  }
}

/** The law for each time that a case does the operation itself, whatever its inputs are. */
function structuralLaws(row: typeof STRUCTURAL[number]): fc.Arbitrary<Law[]> {
  return fc.tuple(row.cases, fc.infiniteStream(fc.boolean())).map(([{ inputs, call }, coins]) => {
    const callsOf = (given: Tensor[]) => {
      const spy = new Spy();
      call(...given.map((x) => spy.watch(x)));
      return spy.calls.filter(({ op }) => op as unknown === row.op);
    };
    const own = callsOf(inputs);
    // Some do nothing to what is float64.
    const found = own.length > 0 ? own : callsOf(inputs.map((x) => cast(x, "float32")));
    return found.map(({ op, inputs, params }): Law => {
      const drawn = inputs.map(() => coins.next().value!);
      return {
        f: (...xs) => apply(op, xs, params),
        rows: inputs.map((x) => turns(x, COUNT)),
        isMapped: drawn.includes(true) ? drawn : drawn.map(() => true),
        gradients: op.vjp !== null,
      };
    });
  });
}

/** Each record, and random calls of it. */
export const LAWS: readonly (readonly [Op<never>, fc.Arbitrary<Law[]>])[] = [
  ...ELEMENTWISE.map((row) => [row.op, elementwiseLaws(row).map((law) => [law])] as const),
  ...STRUCTURAL.map((row) => [row.op, structuralLaws(row)] as const),
];
