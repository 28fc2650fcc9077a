// Type-checked only, where the package is installed: every entry point, and what `using` ends.
import { compile, type Device, type Tensor, tensor, webgpu } from "@cellgrad/cellgrad";
import * as data from "@cellgrad/cellgrad/data";
import * as linalg from "@cellgrad/cellgrad/linalg";
import * as losses from "@cellgrad/cellgrad/losses";
import * as metrics from "@cellgrad/cellgrad/metrics";
import * as mpi from "@cellgrad/cellgrad/mpi";
import * as nn from "@cellgrad/cellgrad/nn";
import * as optim from "@cellgrad/cellgrad/optim";
import * as random from "@cellgrad/cellgrad/random";
import * as testing from "@cellgrad/cellgrad/testing";

const entries = { data, linalg, losses, metrics, mpi, nn, optim, random, testing };

export async function program(path: string): Promise<number[]> {
  const device: Device = await webgpu().catch(() => "cpu");
  const double = await compile((x: Tensor) => x.mul(2), [[1, 2]], { device });
  const file = await data.openAnnData(path);
  const sums = await double(await file.X.read());
  file.close();
  double.dispose();
  return losses.crossEntropyLoss(sums, [0]).add(tensor(1)).toArray();
}

// @ts-expect-error: labels are no text
losses.crossEntropyLoss([[1, 2]], "a");
// @ts-expect-error: no such device
compile((x: Tensor) => x, [[1]], { device: "gpu" });
// @ts-expect-error: no such member
entries.losses.noLoss;
