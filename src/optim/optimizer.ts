/**
 * What all optimizers share: their shape, their state, and the walk over the parameters.
 *
 * @module
 */
import { full, zeros } from "../create.ts";
import type { DType } from "../dtype.ts";
import { checkNumber, isPlainObject, refuseMore } from "../options.ts";
import { add, cast, mul } from "../ops/mod.ts";
import { formatShape, sameShape, type Shape } from "../shape.ts";
import { Tensor } from "../tensor.ts";
import { fuseMaps } from "../transforms/fuse_maps.ts";
import { requireFloating } from "../transforms/linearize.ts";
import { flattenTree, leavesLike, type LikeTree, type TensorTree, treeMap } from "../tree.ts";

/** A learning rate: a number, or a function of the number of updates made before. */
export type LearningRate = number | ((step: Tensor) => Tensor | number);

/** What an optimizer remembers from step to step: a tree of tensors, to be kept or written away. */
export interface OptimizerState<T> {
  /** How many updates were made: an `int32` tensor of shape `[]`. */
  step: Tensor;
  /** Running averages by name, each a tree like the parameters; empty for plain descent. */
  moments: Record<string, T>;
}

/** What an update returns; neither shares anything that a later update would change. */
export interface OptimizerUpdate<T> {
  /** The new parameters: same tree, shapes and types as the old ones. */
  params: T;
  /** The new state, for the next update. */
  state: OptimizerState<T>;
}

/**
 * A rule that turns gradients into new parameters. It holds settings only: everything that changes
 * is in the state, which goes in and comes out, so an update can be repeated, differentiated
 * through, or recorded as part of a program.
 */
export interface Optimizer {
  /** The state before the first update: zeros. */
  init<T>(params: T): OptimizerState<TensorTree<T>>;
  /** The parameters and the state after one step along the gradients. */
  update<T>(
    grads: NoInfer<LikeTree<TensorTree<T>>>,
    state: NoInfer<OptimizerState<TensorTree<T>>>,
    params: T,
  ): OptimizerUpdate<TensorTree<T>>;
}

/** The parameters' part in a step, as a rule sees them: one tensor at a time. */
export interface Leaf {
  /** The parameter. */
  param: Tensor;
  /** Its gradient, as the moments saw it. */
  grad: Tensor;
  /** Its moments, already brought up to date, in the order of the rule. */
  moments: readonly Tensor[];
  /** The same as they were before. */
  before: readonly Tensor[];
  /** The learning rate of this step, in the type of the parameter. */
  rate: Tensor;
  /** The number of this step, counted from 1, in the type of the parameter. */
  count: Tensor;
}

/** How a moment follows the gradient. */
export type Follow = (
  moment: Tensor,
  grad: Tensor,
  known: { followed: readonly Tensor[]; count: Tensor },
) => Tensor;

/** An optimizer as a formula for one tensor. */
export interface Rule {
  /** The function's name, for messages. */
  name: string;
  /** The learning rate. */
  learningRate: LearningRate;
  /** The gradient to use in place of the given one. */
  adjust?: (grad: Tensor, param: Tensor) => Tensor;
  /** How each moment follows the gradient; those before it, and the step's number, are known. */
  moments: Record<string, Follow>;
  /** What moments are at first; 0 by default. */
  start?: Readonly<Record<string, number>>;
  /** Moments that are one number for a whole parameter. */
  numbers?: readonly string[];
  /** The parameter after the step. */
  step: (leaf: Leaf) => Tensor;
}

/** Weight decay as a part of the gradient. */
export function decayedBy(weightDecay: number): NonNullable<Rule["adjust"]> {
  return (grad, param) => weightDecay === 0 ? grad : add(grad, mul(param, weightDecay));
}

/** The optimizer that a rule describes. */
export function makeOptimizer(rule: Rule): Optimizer {
  const names = Object.keys(rule.moments);
  const follow = fuseMaps(rule.name, followRule(rule));
  return {
    init<T>(params: T) {
      if (arguments.length > 1) refuseMore(rule.name, "params", 1, arguments);
      const flat = flattenTree(rule.name, params, "params");
      const { leaves, rebuild } = flat;
      requireFloating(rule.name, "params", flat);
      const start = (name: string) =>
        rebuild(leaves.map((p) => startOf(rule, name, p))) as TensorTree<T>;
      return {
        step: zeros([], { dtype: "int32" }),
        moments: Object.fromEntries(names.map((name) => [name, start(name)])),
      };
    },
    update<T>(grads: unknown, state: OptimizerState<TensorTree<T>>, params: T) {
      if (arguments.length > 3) refuseMore(rule.name, "params", 3, arguments);
      checkState(rule.name, state, names);
      const fit = (leaves: readonly Tensor[], place: string) =>
        fitGradient(rule.name, leaves[1]!, leaves[0]!, place);
      const fitted = mapTrees(rule.name, fit, { params, grads });
      const before = names.map((name) =>
        mapTrees(
          rule.name,
          ([p, m]) => checkMoment(rule.name, m!, p!, shapeIn(rule, name, p!)),
          { params, [`state.moments.${name}`]: state.moments[name] },
        )
      );
      const step = add(state.step, 1);
      const made: Tensor[][] = [];
      const next = treeMap(
        (param, grad, ...own) => {
          const rate = rateAt(rule, state.step, param.dtype);
          const [moved, ...followed] = follow([param, grad, rate, cast(step, param.dtype), ...own]);
          made.push(followed);
          return moved!;
        },
        params,
        fitted,
        ...before,
      );
      const moments = Object.fromEntries(names.map((name, k) => {
        const leaves = made.map((followed) => followed[k]!);
        return [name, treeMap(() => leaves.shift()!, params)];
      })) as Record<string, TensorTree<T>>;
      return { params: next, state: { step, moments } };
    },
  };
}

/**
 * A tree of what a function makes of the leaves in the same places of trees, which messages call by
 * their names; it is told the place.
 */
export function mapTrees(
  caller: string,
  f: (leaves: readonly Tensor[], place: string) => Tensor,
  trees: Readonly<Record<string, unknown>>,
): unknown {
  const [[name, first], ...others] = Object.entries(trees) as [[string, unknown]];
  const flat = flattenTree(caller, first, name);
  const rest = (others as [string, unknown][]).map(([path, tree]) =>
    leavesLike(caller, tree, flat, path, name)
  );
  const made = flat.leaves.map((leaf, i) =>
    f([leaf, ...rest.map((leaves) => leaves[i]!)], flat.placeOf(i))
  );
  return flat.rebuild(made);
}

/** What a rule does to one tensor: its next value and moments, from what it is and they are. */
function followRule(rule: Rule): (tensors: readonly Tensor[]) => Tensor[] {
  const follows = Object.values(rule.moments);
  return ([param, given, rate, count, ...own]) => {
    const grad = rule.adjust?.(given!, param!) ?? given!;
    const moments: Tensor[] = [];
    own.forEach((moment, i) => {
      moments.push(follows[i]!(moment, grad, { followed: moments, count: count! }));
    });
    const leaf = { param: param!, grad, moments, before: own, rate: rate!, count: count! };
    return [rule.step(leaf), ...moments];
  };
}

/** The learning rate after `step` updates, in the type of the parameter that it moves. */
function rateAt({ name, learningRate }: Rule, step: Tensor, dtype: DType): Tensor {
  const rate: unknown = rateFrom(learningRate, cast(step, dtype));
  if (rate instanceof Tensor && rate.rank === 0) return cast(rate, dtype);
  throw new TypeError(
    `Cannot compute ${name} as the schedule must return a number, or a tensor of shape []: current ` +
      (rate instanceof Tensor
        ? `shape is ${formatShape(rate.shape)}`
        : `value is a ${typeof rate}`),
  );
}

/** What a schedule says at a step; a number as a tensor of the step's shape and type. */
export function rateFrom(schedule: LearningRate, step: Tensor): Tensor {
  const rate = typeof schedule === "number" ? schedule : schedule(step);
  return typeof rate === "number" ? full(step.shape, rate, { dtype: step.dtype }) : rate;
}

function startOf(rule: Rule, name: string, param: Tensor): Tensor {
  return full(shapeIn(rule, name, param), rule.start?.[name] ?? 0, { dtype: param.dtype });
}

/** The shape of a parameter's moment. */
function shapeIn({ numbers }: Rule, name: string, param: Tensor): Shape {
  return numbers?.includes(name) ? [] : param.shape;
}

/** A moment of the type of its parameter, and of its shape by default; throws where it is another's. */
export function checkMoment(
  caller: string,
  moment: Tensor,
  param: Tensor,
  shape: Shape = param.shape,
): Tensor {
  if (moment.dtype === param.dtype && sameShape(moment.shape, shape)) return moment;
  const [found, belongs] = [moment, param].map(({ dtype, shape }) =>
    `${dtype} ${formatShape(shape)}`
  );
  throw new TypeError(
    `Cannot compute ${caller} as state must be that of these parameters: current moment is ` +
      `${found}, its parameter ${belongs}`,
  );
}

/** The gradient in the type of its parameter; throws where one of them cannot be meant. */
export function fitGradient(caller: string, grad: Tensor, param: Tensor, place: string): Tensor {
  requireFloating(caller, "params", { leaves: [param], placeOf: () => place });
  if (sameShape(grad.shape, param.shape)) return cast(grad, param.dtype);
  throw new TypeError(
    `Cannot compute ${caller} as grads${place} must have the shape of params${place}: ` +
      `current shapes are ${formatShape(grad.shape)} and ${formatShape(param.shape)}`,
  );
}

function checkState(caller: string, state: OptimizerState<unknown>, names: string[]): void {
  const isState = state?.step instanceof Tensor && state.step.rank === 0 &&
    isPlainObject(state.moments);
  const found = isState ? Object.keys(state.moments) : undefined;
  if (
    found !== undefined && found.length === names.length && names.every((n) => n in state.moments)
  ) {
    return;
  }
  const list = (moments: string[]) => moments.length === 0 ? "no moments" : moments.join(", ");
  throw new TypeError(
    `Cannot compute ${caller} as state must come from init or update of the same optimizer, ` +
      `with ${list(names)}: current value has ${found === undefined ? "no step" : list(found)}`,
  );
}

/** Throws unless a learning rate is a function, or a number that is at least 0. */
export function checkLearningRate(caller: string, learningRate: unknown): void {
  if (typeof learningRate === "function") return;
  if (typeof learningRate === "number") {
    checkNumber(caller, "learningRate", learningRate, { min: 0 });
    return;
  }
  throw new TypeError(
    `Cannot compute ${caller} as learningRate must be a number, or a schedule: ` +
      `current value is ${learningRate === undefined ? "" : "a "}${typeof learningRate}`,
  );
}
