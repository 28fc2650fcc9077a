/**
 * Sinkhorn's iteration: potentials that reply to each other until they change no more.
 *
 * @module
 */
import { zeros } from "../create.ts";
import {
  abs,
  add,
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
 * How far near potentials go towards their replies: beyond them, which halves the iterations or
 * better. Those of a cloud and itself are one, and go half way, as they would swing.
 */
const [BEYOND, HALF_WAY] = [1.5, 0.5];

/** Changes in units of ε below which potentials are near; until then they take their replies. */
const NEAR = 4;

/** The first ε, as a share of the largest cost, where the true one is smaller; then so much less. */
const [FIRST, LESS] = [1 / 300, 2 / 3];

/** The largest logarithm of a scaling: float32 ends at `exp(±87)`. */
const RANGE = 20;

/** Clouds and their weights; twice the same where a cloud meets itself. */
export type Given = readonly [x: Tensor, y: Tensor, a: Tensor, b: Tensor];

/** What replies are made of: costs and their transpose only where all pairs fit. */
interface Problem {
  given: Given;
  transport: Transport;
  epsilon: Tensor;
  costs: Tensor | undefined;
  turned: Tensor | undefined;
}

/** Where an iteration is. */
type State = Record<"f" | "g" | "epsilon" | "turns" | "change", Tensor>;

/** Logarithms of scalings, and whether those that came next were in range. */
type Scalings = Record<"u" | "v" | "turns" | "change" | "fits", Tensor>;

/** How one potential replies to the other. */
type Reply = (other: Tensor) => Tensor;

/**
 * The potentials f and g, one behind the other; f replies to g at the true ε.
 *
 * Far from the solution they are computed by logarithms, for values of ε that come down to the true
 * one. Near it, and where the costs are held, `exp((f + g − c) / ε)` is kept and scaled, which takes
 * a product for every pair instead of an exponential; as scalings leave their range it is made anew.
 */
export function findPotentials(given: Given, transport: Transport): Tensor {
  const [x, y] = given;
  const { isOwn, tolerance, p, largest } = transport;
  const { dtype } = x;
  const [n, m] = [x.shape[0]!, y.shape[0]!];
  const costs = fitsAtOnce(n, m, largest) ? costsOf(x, y, p) : undefined;
  const turned = costs && (isOwn ? costs : transpose(costs));
  const epsilon = tensor(transport.epsilon, { dtype });
  const problem = { given, transport, epsilon, costs, turned };
  const start: State = {
    f: zeros([n], { dtype }),
    g: zeros([m], { dtype }),
    epsilon: mul(largestCost(x, y, p), FIRST / LESS),
    turns: tensor(0, { dtype }),
    change: tensor(1e30, { dtype }),
  };
  const enough = costs ? Math.max(tolerance, NEAR * transport.epsilon) : tolerance;
  const near: State = whileLoop(
    (state) => goesOn(problem, state, enough),
    (state) => byLogarithms(problem, state),
    start,
  );
  const { g }: State = costs === undefined ? near : whileLoop(
    (state) => goesOn(problem, state, tolerance),
    (state) => byScalings(problem, byLogarithms(problem, state)),
    near,
  );
  return concat([repliesAt(problem, epsilon)[0](g), g]);
}

/** Whether there are turns left, and potentials change by more than enough, or ε is not the true one. */
function goesOn({ epsilon, transport }: Problem, state: State, enough: number): Tensor {
  const isOver = logicalOr(greater(state.epsilon, epsilon), greater(state.change, enough));
  return logicalAnd(less(state.turns, transport.iterations), isOver);
}

/** What f replies to g, and g to f. */
function repliesAt({ given, transport, costs, turned }: Problem, epsilon: Tensor): [Reply, Reply] {
  const [x, y, a, b] = given;
  const damping = dampingOf(transport, epsilon);
  const replyOf =
    (rows: Tensor, columns: Tensor, weights: Tensor, costs?: Tensor): Reply => (potentials) => {
      const sides = { rows, columns, potentials, weights };
      return mul(softMinimum(sides, epsilon, transport, costs), damping);
    };
  return [replyOf(x, y, b, costs), replyOf(y, x, a, turned)];
}

/** A turn at the next ε, for which nothing needs to be near. */
function byLogarithms(problem: Problem, { f, g, ...last }: State): State {
  const { transport, epsilon } = problem;
  const next = maximum(mul(last.epsilon, LESS), epsilon);
  const isNear = logicalAnd(
    lessEqual(last.epsilon, epsilon),
    lessEqual(last.change, NEAR * transport.epsilon),
  );
  const step = add(mul(isNear, BEYOND - 1), 1);
  const moved = advance(transport, repliesAt(problem, next), [f, g], step);
  return { ...moved, epsilon: next, turns: add(last.turns, 1) };
}

/** Turns that scale a kernel, as long as the scalings stay in range. */
function byScalings({ given, transport, costs, turned, epsilon }: Problem, state: State): State {
  const [, , a, b] = given;
  const { isOwn, iterations, tolerance } = transport;
  const { f, g, turns, change } = state;
  const damping = dampingOf(transport, epsilon);
  const replyOf = (kernel: Tensor, own: Tensor): Reply => {
    const lag = mul(div(own, epsilon), sub(damping, 1));
    return (other) => sub(lag, mul(log(sum(mul(kernel, exp(other)), { axis: 1 })), damping));
  };
  const toG = replyOf(kernelOf(costs!, f, g, b, epsilon), f);
  const toF = isOwn ? toG : replyOf(kernelOf(turned!, g, f, a, epsilon), g);
  const turn = ({ u, v, ...last }: Scalings): Scalings => {
    const moved = advance(transport, [toG, toF], [u, v], BEYOND);
    const fits = lessEqual(maximum(max(abs(moved.f)), max(abs(moved.g))), RANGE);
    return {
      u: where(fits, moved.f, u),
      v: where(fits, moved.g, v),
      turns: where(fits, add(last.turns, 1), last.turns),
      change: where(fits, mul(moved.change, epsilon), last.change),
      fits: where(fits, last.fits, 0),
    };
  };
  const isUseful = ({ turns, change, fits }: Scalings) =>
    logicalAnd(logicalAnd(less(turns, iterations), greater(change, tolerance)), greater(fits, 0));
  const { dtype } = f;
  const none = { u: zeros(f.shape, { dtype }), v: zeros(g.shape, { dtype }) };
  const first = { ...none, turns, change, fits: tensor(1, { dtype }) };
  const last: Scalings = whileLoop(isUseful, turn, first);
  const [scaledF, scaledG] = [add(f, mul(last.u, epsilon)), add(g, mul(last.v, epsilon))];
  return { ...state, f: scaledF, g: scaledG, turns: last.turns, change: last.change };
}

/** The next potentials, or logarithms of their scalings, and the largest change. */
function advance(
  { isOwn }: Transport,
  [toG, toF]: readonly [Reply, Reply],
  [f, g]: readonly [Tensor, Tensor],
  step: Tensor | number,
): Record<"f" | "g" | "change", Tensor> {
  const towards = (own: Tensor, reply: Tensor, step: Tensor | number) =>
    add(own, mul(sub(reply, own), step));
  const changeOf = (now: Tensor, before: Tensor) => max(abs(sub(now, before)));
  if (isOwn) {
    const next = towards(f, toG(f), HALF_WAY);
    return { f: next, g: next, change: changeOf(next, f) };
  }
  const nextG = towards(g, toF(f), step);
  const nextF = towards(f, toG(nextG), step);
  return { f: nextF, g: nextG, change: maximum(changeOf(nextF, f), changeOf(nextG, g)) };
}

/** The cost between opposite corners of a box around both clouds: no pair is further apart. */
function largestCost(x: Tensor, y: Tensor, p: number): Tensor {
  const high = maximum(max(x, { axis: 0 }), max(y, { axis: 0 }));
  const low = minimum(min(x, { axis: 0 }), min(y, { axis: 0 }));
  return reshape(costsOf(expandDims(high, 0), expandDims(low, 0), p), []);
}
