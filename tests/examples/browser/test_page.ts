/**
 * What runs inside the browser beside the page: golden cases and all losses of the page, on WebGPU.
 * It only computes; the driver compares.
 *
 * @module
 */
import { compile, type Tensor, tensor, valueAndGrad, webgpu } from "@cellgrad/cellgrad";
import { simulatedCells } from "../../../examples/browser/cells.ts";
import { checkPoint, computeOn, samplePoint } from "../../../examples/browser/gradient_check.ts";
import { LOSSES } from "../../../examples/browser/losses.ts";
import { defaultsOf } from "../../../examples/browser/parameters.ts";
import { GOLDEN_FUNCTIONS } from "../../golden/functions.ts";
import type { GoldenArray, GoldenCase } from "../../golden/golden.ts";

/** What a case gives on the device: its value, and its gradients by name. */
export interface GoldenOutcome {
  /** The value. */
  value: number;
  /** The gradients. */
  gradients: Record<string, number[]>;
}

/** What a loss of the page gives. */
export interface LossOutcome {
  /** Its name. */
  name: string;
  /** The value on the CPU, in float64. */
  cpu: number;
  /** The value on the device. */
  gpu: number;
  /** How far the device's gradient is off. */
  gradientError: number;
  /** How many derivatives agree with differences. */
  checked: number;
  /** What does not. */
  failure?: string | undefined;
}

/** The functions that the driver calls. */
export interface TestPage {
  /** Computes cases of one golden file. */
  runGolden(loss: string, cases: readonly GoldenCase[]): Promise<GoldenOutcome[]>;
  /** Computes all losses of the page, with their defaults. */
  runLosses(): Promise<LossOutcome[]>;
}

const device = webgpu();

const toTensor = ({ data, shape, dtype }: GoldenArray) =>
  tensor([...data], { shape, dtype: dtype === "i32" ? "int32" : "float32" });

async function runCase(loss: string, c: GoldenCase): Promise<GoldenOutcome> {
  const inputs = Object.fromEntries(
    Object.entries(c.inputs).flatMap(([name, x]) => x ? [[name, toTensor(x)]] : []),
  );
  const wanted = Object.keys(c.grads).filter((name) => c.grads[name] !== undefined);
  const compute = (moving: Record<string, Tensor>) => {
    const result = GOLDEN_FUNCTIONS[loss]!({ ...inputs, ...moving }, { ...c.params });
    return "outputs" in result ? result.value : result;
  };
  const moving = Object.fromEntries(wanted.map((name) => [name, inputs[name]!]));
  await using program = await compile(valueAndGrad(compute), [moving], { device: await device });
  const [value, gradients] = await program(moving);
  const data = await Promise.all(
    [value, ...wanted.map((name) => gradients[name]!)].map(async (x) => [...await x.read()]),
  );
  return {
    value: data[0]![0]!,
    gradients: Object.fromEntries(wanted.map((name, i) => [name, data[i + 1]!])),
  };
}

const page: TestPage = {
  runGolden: (loss, cases) => Promise.all(cases.map((c) => runCase(loss, c))),
  async runLosses() {
    const cells = simulatedCells({ cells: 60, genes: 20 });
    const outcomes: LossOutcome[] = [];
    for (const entry of LOSSES) {
      const task = { entry, values: defaultsOf(entry.parameters), cells };
      const point = samplePoint(task);
      const check = checkPoint(task, point);
      const { value: gpu, gradientError } = await computeOn(point, check, await device);
      const { value: cpu, checked, failure } = check;
      outcomes.push({ name: entry.name, cpu, gpu, gradientError, checked, failure });
    }
    return outcomes;
  },
};

Object.assign(globalThis, { page });
