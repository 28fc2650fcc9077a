/** Loops and choices as functions of a row. */
import {
  checkpoint,
  cond,
  fixedPoint,
  forLoop,
  mapRowBlocks,
  scan,
  sum,
  type Tensor,
  tensor,
  whileLoop,
  zeros,
} from "../../mod.ts";

/** Functions of a row and of what may be the same for all rows. */
export const LOOPS: Readonly<Record<string, (x: Tensor, w: Tensor) => Tensor>> = {
  "scan": (x, w) => {
    const turn = (c: Tensor, r: Tensor): [Tensor, Tensor] => [c.mul(w).add(r).sin(), c.mul(r)];
    const [last, ys] = scan(turn, w, x.reshape([2, 2]).mul(w.sum()).reshape([4]));
    return ys.mul(last.expandDims(0));
  },
  "scan in reverse, in segments": (x, w) => {
    const turn = (c: Tensor, r: Tensor): [Tensor, Tensor] => [c.sin().add(r), c.mul(r)];
    return scan(turn, w.sum(), x, { reverse: true, checkpoint: 2 })[1];
  },
  "forLoop": (x, w) => forLoop(4, (y: Tensor, i: Tensor) => y.mul(w).add(i).tanh(), x),
  "forLoop whose carry becomes mapped": (x, w) =>
    forLoop(3, ([a, b]: Tensor[]) => [a!.add(b!.sum()), b!.mul(x)], [w, w])[0]!,
  "whileLoop that ends with each row": (x, w) =>
    whileLoop(
      (y: Tensor) => sum(y.square()).less(50),
      (y: Tensor) => y.mul(w.square().add(1.3)),
      x,
      {
        max: 40,
      },
    ),
  "whileLoop over what is the same": (x, w) =>
    whileLoop(
      ([n]: Tensor[]) => n!.less(5),
      ([n, y]: Tensor[]) => [n!.add(1), y!.mul(w).add(x)],
      [tensor(0), x],
      { max: 9 },
    )[1]!,
  "whileLoop that counts for each row": (x, w) =>
    whileLoop(
      ([n, y]: Tensor[]) => sum(y!.square()).less(n!.mul(9)),
      ([n, y]: Tensor[]) => [n!.add(1), y!.mul(1.7).add(w)],
      [tensor(1, { dtype: x.dtype }), x],
      { max: 30 },
    )[0]!.mul(x),
  "cond": (x, w) =>
    cond(sum(x).greater(0), (x: Tensor) => x.mul(w).sin(), (x: Tensor) => x.sub(w).cos(), x),
  "cond in cond": (x, w) => {
    const inner = (x: Tensor) =>
      cond(sum(x).greater(1), (x: Tensor) => x.square(), (x: Tensor) => x.mul(w), x);
    return cond(sum(x).greater(0), inner, (x: Tensor) => x.neg(), x);
  },
  "cond within a loop": (x, w) =>
    forLoop(
      3,
      (y: Tensor) =>
        cond(sum(y).greater(0), (y: Tensor) => y.sub(w.abs()), (y: Tensor) => y.neg().mul(1.2), y),
      x,
    ),
  "fixedPoint": (x, w) =>
    fixedPoint(
      (y: Tensor) => y.mul(w.tanh()).mul(0.5).add(x).cos(),
      zeros([4], { dtype: x.dtype }),
      {
        tolerance: x.dtype === "float32" ? 1e-6 : 1e-13,
      },
    ),
  "mapRowBlocks": (x, w) =>
    mapRowBlocks(
      (block: Tensor, all: Tensor) => block.mul(sum(all.square())).sin(),
      x,
      [w, x].map((y) => y.mul(0.5))[1]!.mul(sum(w)),
      { rows: 3 },
    ),
  "mapRowBlocks of sums": (x, w) =>
    mapRowBlocks(
      ([x, w]: Tensor[], all: Tensor) => sum(x!.mul(w!).mul(all.sum()), { keepDims: true }),
      [x, w],
      w,
      { rows: 3, combine: "sum" },
    ).mul(x),
  "checkpoint": (x, w) => checkpoint((a: Tensor, b: Tensor) => a.sin().mul(b).mul(a))(x, w),
};
