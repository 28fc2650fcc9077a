/**
 * The value of entropic transport, differentiated as that of the solution: its gradient holds the
 * potentials fixed (envelope theorem), and potentials have derivatives of their own (implicit
 * function theorem), so that all orders are those of the converged problem.
 *
 * @module
 */
import { zeros } from "../create.ts";
import type { Composite } from "../op.ts";
import {
  add,
  div,
  equal,
  expm1,
  greater,
  less,
  logicalAnd,
  mul,
  neg,
  reciprocal,
  split,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import { type Tensor, tensor } from "../tensor.ts";
import { apply } from "../trace.ts";
import { vjp } from "../transforms/grad.ts";
import { whileLoop } from "../transforms/loops.ts";
import { findPotentials, type Given } from "./sinkhorn_iteration.ts";
import { dampingOf, massesOf, planMeans, softMinimum, type Transport } from "./sinkhorn_pairs.ts";

/** `OT_ε` of two clouds: `min_P Σ P c + ε KL(P | a bᵀ)`, with `+ ρ KL` of both marginals for a ρ. */
export function transportCost(given: Given, transport: Transport): Tensor {
  return apply(valueOp, [apply(potentialsOp, given, transport), ...given], transport);
}

/** What each unit of a cloud's mass contributes at a solution. */
function chargesOf(potentials: Tensor, { epsilon, rho }: Transport): Tensor {
  if (rho === undefined) return potentials;
  const lost = expm1(div(potentials, -rho));
  return sub(mul(lost, -rho), mul(add(lost, 1), epsilon));
}

/** The value at given potentials. */
const valueOp: Composite<Transport> = {
  name: "sinkhornDivergence",
  compose([potentials, x, y, a, b], transport) {
    const [f, g] = apart(potentials!, x!, y!);
    const charged = add(
      sum(mul(a!, chargesOf(f, transport))),
      sum(mul(b!, chargesOf(g, transport))),
    );
    if (transport.rho === undefined) return charged;
    // With f as the reply to g, Σ P is that of the rows: of the columns' charge, ε Σ is not there.
    const masses = sum(massesOf(g, b!, transport));
    return add(charged, mul(add(masses, mul(sum(a!), sum(b!))), transport.epsilon));
  },
  vjp(cotangent, _value, [potentials, x, y, a, b], transport) {
    const { epsilon, rho } = transport;
    const [f, g] = apart(potentials!, x!, y!);
    const scale = tensor(epsilon, { dtype: x!.dtype });
    const minimum = (rows: Tensor, columns: Tensor) =>
      softMinimum({ rows, columns, potentials: g, weights: b! }, scale, transport);
    const [toX, toY] = vjp(minimum, x!, y!)[1](mul(massesOf(f, a!, transport), cotangent));
    const charge = (potentials: Tensor, others: Tensor) => {
      const charges = chargesOf(potentials, transport);
      return rho === undefined ? charges : add(charges, mul(sum(others), epsilon));
    };
    return [null, toX, toY, mul(charge(f, b!), cotangent), mul(charge(g, a!), cotangent)];
  },
};

/** The potentials of the solution, one behind the other. */
const potentialsOp: Composite<Transport> = {
  name: "sinkhornDivergence",
  compose: (given, transport) => findPotentials(given as unknown as Given, transport),
  vjp(cotangent, potentials, [x, y, a, b], transport) {
    const scale = tensor(transport.epsilon, { dtype: x!.dtype });
    const damping = dampingOf(transport, scale);
    const [f, g] = apart(potentials, x!, y!);
    const [ofF, ofG] = apart(cotangent, x!, y!);
    const plan = planOf([x!, y!, a!, b!, f, g], transport);
    const replyOf = (rows: Tensor, columns: Tensor, potentials: Tensor, weights: Tensor) =>
      mul(softMinimum({ rows, columns, potentials, weights }, scale, transport), damping);
    const toG = (x: Tensor, y: Tensor, b: Tensor) => replyOf(x, y, g, b);
    const toF = (x: Tensor, y: Tensor, a: Tensor) => replyOf(y, x, f, a);
    const right = transport.isOwn ? add(ofF, ofG) : sub(ofG, mul(plan.turned(ofF), damping));
    const w = apply(solveOp, [right, x!, y!, a!, b!, f, g], transport);
    const adjoint = add(right, plan.couple(w));
    if (transport.isOwn) {
      const [toX, toY, toB] = vjp(toG, x!, y!, b!)[1](adjoint);
      return [toX, toY, null, toB];
    }
    const other = sub(ofF, mul(mul(plan.masses, plan.means(w)), damping));
    const [x1, y1, b1] = vjp(toG, x!, y!, b!)[1](other);
    const [x2, y2, a2] = vjp(toF, x!, y!, a!)[1](adjoint);
    return [add(x1, x2), add(y1, y2), a2, b1];
  },
};

/** The plan of potentials, f being the reply to g, as a matrix Q of each row's shares. */
interface Plan {
  /** m, the mass of each row. */
  masses: Tensor;
  /** Q w */
  means: (w: Tensor) => Tensor;
  /** Qᵀ v */
  turned: (v: Tensor) => Tensor;
  /** d, the diagonal of the system that is solved. */
  diagonal: Tensor;
  /** What replies pass on: the system is `d w − couple(w)`. */
  couple: (w: Tensor) => Tensor;
}

function planOf(inputs: readonly Tensor[], transport: Transport): Plan {
  const [x, y, a, b, f, g] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
  const scale = tensor(transport.epsilon, { dtype: x.dtype });
  const damping = dampingOf(transport, scale);
  const sides = { rows: x, columns: y, potentials: g, weights: b };
  const means = (w: Tensor) => planMeans(sides, w, scale, transport);
  const turned = (v: Tensor) => vjp(means, zeros(g.shape, { dtype: g.dtype }))[1](v)[0] as Tensor;
  const masses = massesOf(f, a, transport);
  const couple = transport.isOwn
    ? (w: Tensor) => neg(mul(turned(mul(masses, w)), damping))
    : (w: Tensor) => mul(mul(turned(mul(masses, means(w))), damping), damping);
  return { masses, means, turned, diagonal: turned(masses), couple };
}

/** How small the square of the residual gets beside that of the right side, and the most turns. */
const LEAST = { float32: 1e-12, float64: 1e-26 };
const MOST = 500;

/**
 * The solution w of `d w − couple(w) = r`, which is symmetric, by conjugate gradients. Where all mass
 * is transported, a constant more is a solution, too: nothing depends on it.
 */
const solveOp: Composite<Transport> = {
  name: "sinkhornDivergence",
  compose([r, ...inputs], transport) {
    const { diagonal, couple } = planOf(inputs, transport);
    const { dtype, shape } = r!;
    const inverse = where(equal(diagonal, 0), 0, reciprocal(diagonal));
    const direction = mul(r!, inverse);
    const size = sum(mul(r!, direction));
    const least = mul(size, LEAST[dtype as "float32" | "float64"]);
    const [w, turns] = [zeros(shape, { dtype }), tensor(0, { dtype })];
    const start = { w, r: r!, direction, size, turns };
    type State = typeof start;
    const goesOn = ({ size, turns }: State) => logicalAnd(greater(size, least), less(turns, MOST));
    const turn = ({ w, r, direction, size, turns }: State): State => {
      const image = sub(mul(diagonal, direction), couple(direction));
      const curvature = sum(mul(direction, image));
      // Along what has no curvature there is nothing to find.
      const step = div(size, where(greater(curvature, 0), curvature, Infinity));
      const rest = sub(r, mul(image, step));
      const scaled = mul(rest, inverse);
      const left = sum(mul(rest, scaled));
      return {
        w: add(w, mul(direction, step)),
        r: rest,
        direction: add(scaled, mul(direction, div(left, size))),
        size: left,
        turns: add(turns, 1),
      };
    };
    return (whileLoop(goesOn, turn, start) as State).w;
  },
  vjp(cotangent, w, [, ...inputs], transport) {
    const u = apply(solveOp, [cotangent, ...inputs], transport);
    const system = (...inputs: Tensor[]) => {
      const { diagonal, couple } = planOf(inputs, transport);
      return sub(mul(diagonal, w), couple(w));
    };
    return [u, ...vjp(system, ...inputs)[1](neg(u))];
  },
};

function apart(both: Tensor, x: Tensor, y: Tensor): [Tensor, Tensor] {
  return split(both, [x.shape[0]!, y.shape[0]!]) as [Tensor, Tensor];
}
