/**
 * Sinkhorn's iteration: potentials that reply to each other until they change no more.
 *
 * @module
 */
import { zeros } from "../create.ts";
import {
  abs,
  add,
  cast,
  concat,
  div,
  exp,
  expandDims,
  greater,
  less,
  lessEqual,
  log,
  logicalAnd,
  logicalOr,
  max,
  maximum,
  min,
  minimum,
  mul,
  reshape,
  sub,
  sum,
  transpose,
  where,
} from "../ops/mod.ts";
import { type Tensor, tensor } from "../tensor.ts";
import { whileLoop } from "../transforms/loops.ts";
import { fitsAtOnce } from "./cells.ts";
import { costsOf, dampingOf, kernelOf, softMinimum, type Transport } from "./sinkhorn_pairs.ts";

/**
 * How far potentials go towards their replies: over them where they are near, which takes half of
 * the iterations or fewer, and half way where a cloud is transported to itself, as they would swing.
 */
const OVER = 1.5;

/** Changes in units of ε below which potentials are near; until then they take their replies. */
const NEAR = 4;

/** The first ε is this share of the largest cost, where the true one is smaller; then so much less. */
const [FIRST, LESS] = [1 / 300, 2 / 3];

/** The largest logarithm of a scaling: kernels beyond `exp(±87)` are 0 or infinite in float32. */
const RANGE = 20;

/** The tensors of a problem: clouds and weights, twice the same where a cloud meets itself. */
export type Given = readonly [x: Tensor, y: Tensor, a: Tensor, b: Tensor];

/** Where an iteration is. */
interface State {
  [name: string]: Tensor;
  f: Tensor;
  g: Tensor;
  epsilon: Tensor;
  turns: Tensor;
  change: Tensor;
}

/** How the one potential replies to the other. */
type Reply = (other: Tensor) => Tensor;

/**
 * The potentials f and g, one behind the other; f replies to g at the true ε.
 *
 * Far from the solution they are computed by logarithms, for values of ε that come down to the true
 * one. Near it, where the costs are held, `exp((f + g − c) / ε)` is kept and only scaled, a product
 * instead of an exponential for every pair; as scalings leave their range it is made anew.
 */
export function findPotentials(given: Given, transport: Transport): Tensor {
  const [x, y, a, b] = given;
  const { epsilon, isOwn, iterations, tolerance, p, largest } = transport;
  const { dtype } = x;
  const scalar = (value: number) => tensor(value, { dtype });
  const isHeld = fitsAtOnce(x.shape[0]!, y.shape[0]!, largest);
  const costs = isHeld ? costsOf(x, y, p) : undefined;
  const turned = costs && (isOwn ? costs : transpose(costs));
  const minimumOf = (isX: boolean, potentials: Tensor, epsilon: Tensor) => {
    const sides = isX
      ? { rows: x, columns: y, potentials, weights: b }
      : { rows: y, columns: x, potentials, weights: a };
    const least = softMinimum(sides, epsilon, transport, isX ? costs : turned);
    return mul(least, dampingOf(transport, epsilon));
  };
  const goesOn = ({ turns, change, epsilon: last }: State, enough: number) =>
    logicalAnd(
      less(turns, iterations),
      logicalOr(greater(last, scalar(epsilon)), greater(change, enough)),
    );
  const byLogarithms = (state: State): State => {
    const next = maximum(mul(state.epsilon, LESS), epsilon);
    const isNear = logicalAnd(
      lessEqual(state.epsilon, scalar(epsilon)),
      lessEqual(state.change, NEAR * epsilon),
    );
    const [f, g, change] = advance(
      transport,
      [(g) => minimumOf(true, g, next), (f) => minimumOf(false, f, next)],
      [state.f, state.g],
      where(isNear, scalar(OVER), scalar(1)),
    );
    return { f, g, epsilon: next, turns: add(state.turns, 1), change };
  };
  const start: State = {
    f: zeros([x.shape[0]!], { dtype }),
    g: zeros([y.shape[0]!], { dtype }),
    epsilon: mul(largestCost(x, y, p), FIRST / LESS),
    turns: scalar(0),
    change: scalar(1e30),
  };
  const enough = isHeld ? Math.max(tolerance, NEAR * epsilon) : tolerance;
  let state = whileLoop((s: State) => goesOn(s, enough), byLogarithms, start) as State;
  if (isHeld) {
    const kernels = { costs: costs!, turned: turned!, a, b };
    const turn = (s: State) => byScalings(byLogarithms(s), kernels, transport);
    state = whileLoop((s: State) => goesOn(s, tolerance), turn, state) as State;
  }
  return concat([minimumOf(true, state.g, scalar(epsilon)), state.g]);
}

/** What is held of a problem that fits. */
interface Held {
  costs: Tensor;
  turned: Tensor;
  a: Tensor;
  b: Tensor;
}

/** Iterations that scale a kernel, as long as the scalings stay in range. */
function byScalings(state: State, { costs, turned, a, b }: Held, transport: Transport): State {
  const { epsilon, isOwn, iterations, tolerance } = transport;
  const { f, g, turns, change } = state;
  const { dtype } = f;
  const scale = tensor(epsilon, { dtype });
  const damping = dampingOf(transport, scale);
  const replyOf = (kernel: Tensor, own: Tensor): Reply => {
    const lag = mul(div(own, scale), sub(damping, 1));
    return (other) =>
      sub(lag, mul(log(sum(mul(kernel, exp(other)), { axis: 1 })), damping));
  };
  const toG = replyOf(kernelOf(costs, f, g, b, scale), f);
  const toF = isOwn ? toG : replyOf(kernelOf(turned, g, f, a, scale), g);
  const turn = (s: State): State => {
    const [u, v, moved] = advance(transport, [toG, toF], [s.f, s.g], OVER);
    const fits = lessEqual(maximum(max(abs(u)), max(abs(v))), RANGE);
    return {
      f: where(fits, u, s.f),
      g: where(fits, v, s.g),
      epsilon: cast(fits, dtype),
      turns: where(fits, add(s.turns, 1), s.turns),
      change: where(fits, mul(moved, epsilon), s.change),
    };
  };
  const isUseful = ({ turns, change, epsilon: fits }: State) =>
    logicalAnd(
      logicalAnd(less(turns, iterations), greater(change, tolerance)),
      greater(fits, 0),
    );
  const none = { f: zeros(f.shape, { dtype }), g: zeros(g.shape, { dtype }) };
  const one = tensor(1, { dtype });
  const last = whileLoop(isUseful, turn, { ...none, epsilon: one, turns, change }) as State;
  return {
    f: add(f, mul(last.f, epsilon)),
    g: add(g, mul(last.g, epsilon)),
    epsilon: state.epsilon,
    turns: last.turns,
    change: last.change,
  };
}

/** The next potentials, or their scalings, and the largest change. */
function advance(
  { isOwn }: Transport,
  [toG, toF]: readonly [toG: Reply, toF: Reply],
  [f, g]: readonly [Tensor, Tensor],
  step: Tensor | number,
): [f: Tensor, g: Tensor, change: Tensor] {
  const towards = (own: Tensor, reply: Tensor, step: Tensor | number) =>
    add(own, mul(sub(reply, own), step));
  const changeOf = (now: Tensor, before: Tensor) => max(abs(sub(now, before)));
  if (isOwn) {
    const next = towards(f, toG(f), 0.5);
    return [next, next, changeOf(next, f)];
  }
  const nextG = towards(g, toF(f), step);
  const nextF = towards(f, toG(nextG), step);
  return [nextF, nextG, maximum(changeOf(nextF, f), changeOf(nextG, g))];
}

/** The cost between opposite corners of a box around both clouds: no pair is further apart. */
function largestCost(x: Tensor, y: Tensor, p: number): Tensor {
  const high = maximum(max(x, { axis: 0 }), max(y, { axis: 0 }));
  const low = minimum(min(x, { axis: 0 }), min(y, { axis: 0 }));
  return reshape(costsOf(expandDims(high, 0), expandDims(low, 0), p), []);
}
