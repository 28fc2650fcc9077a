/**
 * Values that lie in others: what loops read where it is, rather than a copy of it.
 *
 * @module
 */
import { mergeAxes } from "../../../kernels/layout/axes.ts";
import type { Strides, ViewCopy } from "../../../kernels/layout/reference.ts";
import { sameShape, type Shape, sizeOf, stridesOf } from "../../shape.ts";
import { isAlias } from "../alias.ts";
import type { Graph, Step, ValueId } from "../graph.ts";

/** Where a value lies: in which one, and how along its own axes. */
export interface Source extends Strides {
  /** The value that is in memory. */
  root: ValueId;
  /** Whether values may lie in another order than those that are in memory, or be only some of them. */
  isView?: boolean | undefined;
  /** Which slices of it. */
  lookup?: Lookup | undefined;
}

/** Slices by position: where the positions lie, along the same axes. */
export interface Lookup extends Source {
  /** Elements from slice to slice. */
  step: number;
  /** What looks up. */
  by: Step;
}

/** A value that lies in memory as it is. */
export function sourceOf(id: ValueId, { values }: Graph): Source {
  return { root: id, offset: 0, strides: stridesOf(values[id]!.shape) };
}

/** Whether a step only names its input anew. */
function isName(step: Step, graph: Graph): boolean {
  return step.op.kind !== "check" && isAlias(step, graph);
}

/** The values of a graph that are views of others, and those that others than loops need. */
export class Views {
  /** Views that are all of what they lie in, under another shape or name. */
  readonly aliases: Step[] = [];
  readonly #graph: Graph;
  readonly #works: ReadonlyMap<Step, unknown>;
  readonly #canRead: (step: Step) => boolean;
  readonly #sources = new Map<ValueId, Source>();
  readonly #makers = new Map<ValueId, Step>();

  /** `works` are the steps of loops; those that cannot read views, as they are, have copies. */
  constructor(
    graph: Graph,
    works: ReadonlyMap<Step, unknown>,
    canRead: (step: Step) => boolean,
  ) {
    this.#graph = graph;
    this.#works = works;
    this.#canRead = canRead;
  }

  /** Finds the views. */
  find(): void {
    const own = valuesToOwn(this.#graph, this.#works);
    for (const step of this.#graph.steps) {
      const isView = step.op.kind === "lookup" ? this.#lookUp(step, own) : this.#look(step, own);
      if (isView) {
        this.#makers.set(step.output, step);
        if (isName(step, this.#graph)) this.aliases.push(step);
      } else if (step.inputs.some((id) => this.has(id)) && !this.#canRead(step)) {
        step.inputs.forEach((id) => this.#copy(id));
      }
    }
  }

  /** Whether a value is a view. */
  has(id: ValueId): boolean {
    return this.#makers.has(id);
  }

  /** Where a value lies. */
  sourceOf(id: ValueId): Source {
    let source = this.#sources.get(id);
    if (source === undefined) this.#sources.set(id, source = sourceOf(id, this.#graph));
    return source;
  }

  /** Leaves a value where its view shows it, unless it must lie in memory by itself. */
  #look(step: Step, own: ReadonlySet<ValueId>): boolean {
    const { inputs: [x], output } = step;
    const isView = !isName(step, this.#graph);
    if ((isView && own.has(output)) || readBy(step, this.#graph) === undefined) return false;
    let source = lookThrough(step, this.sourceOf(x!), this.#graph);
    if (source === undefined || (isView && isFar(source))) {
      this.#copy(x!);
      source = lookThrough(step, this.sourceOf(x!), this.#graph)!;
    }
    this.#sources.set(output, { ...source, isView: isView || source.isView });
    return true;
  }

  /** Leaves slices where they are. */
  #lookUp(step: Step, own: ReadonlySet<ValueId>): boolean {
    const { op, inputs: [x, indices], params, output } = step;
    if (op.kind !== "lookup" || op.by !== "slice" || own.has(output)) return false;
    const { values } = this.#graph;
    const [shape, picked] = [values[x!]!.shape, values[indices!]!.shape];
    const axis = op.axis(params);
    const [data, positions] = [this.sourceOf(x!), this.sourceOf(indices!)];
    if (data.lookup || sizeOf(shape.slice(axis + 1)) < 2) return false;
    const zeros = (extents: Shape) => extents.map(() => 0);
    this.#sources.set(output, {
      ...data,
      isView: true,
      strides: data.strides.toSpliced(axis, 1, ...zeros(picked)),
      lookup: {
        ...positions,
        strides: zeros(shape).toSpliced(axis, 1, ...positions.strides),
        step: data.strides[axis]!,
        by: { ...step, inputs: [x!, positions.root] },
      },
    });
    return true;
  }

  /** Has a view copied, so that it lies in memory as it is. */
  #copy(id: ValueId): void {
    const step = this.#makers.get(id);
    if (step === undefined) return;
    const [x] = step.inputs as [ValueId];
    if (isName(step, this.#graph)) {
      this.#copy(x);
      this.#sources.set(id, { ...sourceOf(id, this.#graph), root: this.sourceOf(x).root });
      return;
    }
    this.#makers.delete(id);
    this.#sources.delete(id);
    if (!this.#canRead(step)) step.inputs.forEach((input) => this.#copy(input));
  }
}

/** Where a view reads its input, along the axes of its output; `undefined` where it does more. */
export function readBy(step: Step, graph: Graph): Strides | undefined {
  const { op, inputs, params, output } = step;
  const { shape } = graph.values[output]!;
  if (isName(step, graph)) return { offset: 0, strides: stridesOf(shape) };
  if (op.kind !== "view" || inputs.length > 1 || sizeOf(shape) === 0) return undefined;
  const copies = op.copies(inputs.map((id) => graph.values[id]!.shape), params, shape);
  const [{ shape: copied, to, from }] = copies as [ViewCopy];
  return sameShape(copied, shape) && to.offset === 0 ? from : undefined;
}

/** Where a view lies, given where its input does; `undefined` where no strides lead there. */
export function lookThrough(step: Step, source: Source, graph: Graph): Source | undefined {
  const [from, to] = [step.inputs[0]!, step.output].map((id) => graph.values[id]!.shape);
  const read = readBy(step, graph);
  return read && composeReads(to!, read, source, from!);
}

/** What is read of a value, in what it lies in; `undefined` where no strides lead there. */
export function composeReads(
  shape: Shape,
  { offset, strides }: Strides,
  source: Source,
  inputShape: Shape,
): Source | undefined {
  const { lookup } = source;
  if (sizeOf(inputShape) === 0) {
    const nothing = { offset: 0, strides: shape.map(() => 0) };
    return { ...source, ...nothing, lookup: lookup && { ...lookup, ...nothing } };
  }
  const axes = mergeAxes(inputShape, [source.strides, lookup?.strides ?? source.strides]);
  const own = stridesOf(axes.map(({ extent }) => extent));
  const starts = axes.map(({ extent }, i) => Math.floor(offset / own[i]!) % extent);
  const [lows, highs] = [[...starts], [...starts]];
  const steps = strides.map((stride, axis) => {
    if (stride === 0 || shape[axis] === 1) return undefined;
    const along = own.findIndex((behind) => behind <= Math.abs(stride));
    if (along < 0 || stride % own[along]! !== 0) return null;
    const count = stride / own[along]!;
    const ends = count < 0 ? lows : highs;
    ends[along]! += count * (shape[axis]! - 1);
    return { along, count };
  });
  const isOutside = axes.some(({ extent }, i) => lows[i]! < 0 || highs[i]! >= extent);
  if (steps.includes(null) || isOutside) return undefined;
  const read = ({ offset }: Strides, view: 0 | 1): Strides => ({
    offset: offset + starts.reduce((sum, at, i) => sum + at * axes[i]!.strides[view]!, 0),
    strides: steps.map((step) => step ? step.count * axes[step.along]!.strides[view]! : 0),
  });
  return {
    ...source,
    ...read(source, 0),
    lookup: lookup && { ...lookup, ...read(lookup, 1) },
  };
}

/** Values that must lie in memory as they are: what others read than loops do, or the caller. */
function valuesToOwn(graph: Graph, works: ReadonlyMap<Step, unknown>): ReadonlySet<ValueId> {
  const own = new Set(graph.outputs);
  for (const step of graph.steps.toReversed()) {
    const { inputs, output } = step;
    if (isName(step, graph)) {
      if (own.has(output)) own.add(inputs[0]!);
    } else if (step.op.kind === "lookup" && step.op.by === "slice" && !own.has(output)) {
      own.add(inputs[1]!);
    } else if (own.has(output) || isFar(readBy(step, graph))) {
      own.add(output);
      if (works.get(step) === undefined) inputs.forEach((id) => own.add(id));
    }
  }
  return own;
}

/** Steps from element to element are written into loops, where larger ones do not fit. */
const LARGEST_STRIDE = 2 ** 24;

/**
 * Whether loops need a copy of a view. Turned matrices are read as they lie, strip by strip: 2048²
 * squared and summed takes 10 ms, where 17 are needed with a copy of all.
 */
function isFar(read: Strides | undefined): boolean {
  return read === undefined || read.strides.some((stride) => Math.abs(stride) > LARGEST_STRIDE);
}
