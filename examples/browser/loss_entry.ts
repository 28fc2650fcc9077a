/** What the page knows about a loss. */
import type { Tensor } from "@cellgrad/cellgrad";
import type { Cells } from "./cells.ts";
import type { Parameters, ParameterValues, ValuesOf } from "./parameters.ts";

export type Named = Readonly<Record<string, Tensor>>;

/** How many there are of what, for the widths of a model; `embedding`: of numbers in a cell's. */
export type Sizes = Record<"genes" | "classes" | "batches" | "embedding", number>;

/** What a loss is computed from. */
export interface LossInputs<Names extends string = string> {
  /** What the model makes of the cells. */
  outputs: Readonly<Record<Names, Tensor>>;
  /** What it makes of another view of them, where the loss asks for one. */
  second: Readonly<Record<Names, Tensor>>;
  /** Weights beyond the model's, where the loss asks for any. */
  weights: Named;
  cells: Cells;
}

/** What cells may lack, and losses may need. */
export type Need = "expression" | "counts" | "velocity";

/** A loss on the page. */
export interface LossEntry {
  /** The function's name. */
  name: string;
  /** What it is listed under. */
  family: string;
  /** What it measures, in one line. */
  about: string;
  parameters: Parameters;
  /** What the model makes, and how wide each output is. */
  outputs: (sizes: Sizes) => Readonly<Record<string, number>>;
  /** Outputs whose gradient the model reverses on its way to the cells. */
  behindReversal?: readonly string[];
  /** Shapes of weights beyond the model's, which are trained with it. */
  weights?: (sizes: Sizes) => Readonly<Record<string, readonly number[]>>;
  /** Whether the model must not see the values that `cells.hidden` marks; it sees all by default. */
  hides?: boolean;
  /** Whether the model looks at the cells twice, each time with some values missing. */
  twoViews?: boolean;
  needs?: readonly Need[];
  /** By what the loss multiplies a gradient that it reverses, and the output that it belongs to. */
  reverses?: { output: string; scale: (values: ParameterValues) => number };
  /** The loss, a scalar. */
  compute: (inputs: LossInputs, values: ParameterValues) => Tensor;
}

/** A loss before it is listed. */
export type Unlisted = Omit<LossEntry, "name" | "family">;

/** A loss whose parameters and outputs are known to its function. */
export interface TypedEntry<P extends Parameters, Names extends string>
  extends Omit<Unlisted, "parameters" | "outputs" | "compute"> {
  parameters: P;
  outputs: (sizes: Sizes) => Readonly<Record<Names, number>>;
  compute: (inputs: LossInputs<NoInfer<Names>>, values: ValuesOf<P>) => Tensor;
}

/** The same, with the types of its parameters and outputs forgotten. */
export function defineLoss<const P extends Parameters, Names extends string>(
  entry: TypedEntry<P, Names>,
): Unlisted {
  return entry as unknown as Unlisted;
}

/** Losses by the names of their functions, listed under one name. */
export function family(name: string, losses: Readonly<Record<string, Unlisted>>): LossEntry[] {
  return Object.entries(losses).map(([loss, entry]) => ({ name: loss, family: name, ...entry }));
}
