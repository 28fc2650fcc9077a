/** Programs with arguments that they accept. */
import * as cg from "../../mod.ts";
import type { ValidCall } from "./valid_calls.ts";

type Params = { w: cg.Tensor; b: cg.Tensor[] };

const params = () => ({ w: cg.tensor([1, 2]), b: [cg.tensor(1), cg.tensor([1, 2])] });
const step = ({ w, b }: Params, x: cg.Tensor, rate: cg.Tensor) => ({
  w: cg.sub(w, cg.mul(cg.matmul(x, w), rate)),
  b: b.map((value) => cg.add(value, rate)),
});
const points = () => cg.tensor([[1, 2], [3, 4]]);

/** The programs, compiled. */
export async function validPrograms(): Promise<ValidCall[]> {
  const program = await cg.compile(step, [params(), points(), 0.1]);
  const loss = await cg.compile(
    (z: cg.Tensor, y: cg.Tensor) => cg.crossEntropyLoss(z, y),
    [points(), Int32Array.of(0, 1)],
  );
  return [
    { name: "program", f: program, args: () => [params(), points(), 0.5] },
    { name: "program of a loss", f: loss, args: () => [points(), Int32Array.of(0, 1)] },
  ];
}
