// Run by Node and Bun in a folder where the package is installed: no TypeScript, nothing of Deno.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as cg from "@cellgrad/cellgrad";
import {
  cellLoader,
  encodeAnnData,
  openAnnData,
  pca,
  readNpy,
  simulateCells,
  updateAnnData,
  writeAnnData,
  writeNpy,
} from "@cellgrad/cellgrad/data";
import * as losses from "@cellgrad/cellgrad/losses";
import { accuracy } from "@cellgrad/cellgrad/metrics";
import { openMpi, singleProcess } from "@cellgrad/cellgrad/mpi";
import { adam } from "@cellgrad/cellgrad/optim";
import { key, normal } from "@cellgrad/cellgrad/random";
import { assertAllClose, checkGradients } from "@cellgrad/cellgrad/testing";

const [fixtures] = process.argv.slice(2);

const checks = {
  "gradients agree with differences"() {
    const logits = [[0.5, -1, 2], [0.1, 0.2, -0.3]];
    const loss = (x) => losses.crossEntropyLoss(x, [2, 0]);
    assert.equal(checkGradients(loss, [logits], { order: 2 }).checked, 12);
    assert.ok(losses.focalLoss([[2, 0, -1]], [0]).item() < loss(logits).item());
  },
  async "a program trains as the function it was compiled from"() {
    const optimizer = adam({ learningRate: 0.1 });
    const [x, w] = [normal(key(1), [64, 8]), normal(key(2), [8, 3])];
    const labels = cg.argMax(x.matmul(w), { axis: 1 });
    const loss = (p) => losses.crossEntropyLoss(x.matmul(p), labels);
    const step = (p, state) => {
      const [value, gradient] = cg.valueAndGrad(loss)(p);
      return { value, ...optimizer.update(gradient, state, p) };
    };
    const start = cg.zeros([8, 3]);
    const program = await cg.compile(step, [start, optimizer.init(start)]);
    let [compiled, eager] = [1, 2].map(() => ({ params: start, state: optimizer.init(start) }));
    for (let i = 0; i < 30; i++) {
      compiled = await program(compiled.params, compiled.state);
      eager = step(eager.params, eager.state);
    }
    assertAllClose(compiled.value, eager.value, { rtol: 1e-4 });
    assert.ok(accuracy(cg.argMax(x.matmul(compiled.params), { axis: 1 }), labels) > 0.9);
    program.dispose();
    await assert.rejects(program(start, compiled.state), /has been disposed of/);
  },
  async "threads give the bits that one thread gives"() {
    const [a, b] = [normal(key(3), [300, 200]), normal(key(4), [200, 250])];
    const f = (a, b) => a.matmul(b).tanh().sum({ axis: 1 });
    const [one, many] = [await cg.compile(f, [a, b]), await cg.compile(f, [a, b], { threads: 3 })];
    assert.match(many.explain(), /threads: 3, sharing %/);
    for (let i = 0; i < 3; i++) assert.deepEqual((await many(a, b)).data, (await one(a, b)).data);
    many.dispose();
  },
  async "WebGPU is missing in words of the library"() {
    if (globalThis.navigator?.gpu !== undefined) return;
    await assert.rejects(
      cg.webgpu(),
      /^Error: Cannot compute webgpu as this runtime has no WebGPU/,
    );
  },
  async "AnnData is read from HDF5, a directory and a zip archive"() {
    for (const name of ["cells.h5ad", "cells2.zarr", "cells3.zarr", "cells.zarr.zip"]) {
      const file = await openAnnData(join(fixtures, name));
      const labels = await file.obs("cell_type");
      assert.equal(labels.kind, "categorical");
      const x = await file.X.read();
      assert.deepEqual([x.shape, labels.categories.length], [[5, 4], 2]);
      assert.ok(x.sum().item() > 0);
      file.close();
      await assert.rejects(file.obs("cell_type"), /it is closed/);
    }
    await assert.rejects(openAnnData(join(fixtures, "missing.h5ad")), /does not exist/);
  },
  async "AnnData is written and added to"() {
    const X = cg.tensor([[1, 0], [0, 2], [3, 0]]);
    assert.equal(new TextDecoder("latin1").decode((await encodeAnnData({ X })).slice(1, 4)), "HDF");
    for (const name of ["out.h5ad", "out.zarr"]) {
      const path = join(fixtures, name);
      for (const compression of ["none", "gzip"]) {
        await writeAnnData(path, { X, obs: { type: ["B", "T", "B"] } }, { compression });
        await updateAnnData(path, { obs: { ok: [true, false, true] }, obsm: { X_new: X } });
        const file = await openAnnData(path);
        assert.deepEqual(file.keys.obs, ["type", "ok"]);
        assert.deepEqual((await file.obsm("X_new")).toArray(), X.toArray());
        assert.deepEqual([...(await file.obs("ok")).values], [1, 0, 1]);
        file.close();
      }
      await assert.rejects(updateAnnData(path, { obsm: { X_new: X } }), /is there already/);
    }
    const nowhere = join(fixtures, "none", "x.h5ad");
    await assert.rejects(writeAnnData(nowhere, { X }), /its folder does not exist/);
  },
  async "workers make the batches that one thread makes"() {
    const path = join(fixtures, "cells.h5ad");
    const sources = [path, new File([await readFile(path)], "dropped.h5ad"), await readFile(path)];
    for (const source of sources) {
      const file = await openAnnData(source);
      const [one, many] = [[], []];
      for (const [workers, batches] of [[0, one], [1, many], [2, many]]) {
        const options = { batchSize: 2, window: 2, shuffle: true, layer: "counts", workers };
        for await (const { x, index } of cellLoader(file, options)) batches.push([x.data, index]);
      }
      assert.deepEqual(many, [...one, ...one]);
      await assert.rejects(
        async () => {
          const options = { batchSize: 2, layer: "too_large", workers: 1 };
          for await (const _ of cellLoader(file, options));
        },
        /^RangeError: Cannot read "layers\/too_large" of "(.*cells\.h5ad|dropped\.h5ad|the bytes)"/,
      );
      file.close();
    }
  },
  async "arrays and cells come and go"() {
    const { counts } = simulateCells({ cells: 40, genes: 20, types: 2, seed: 1 });
    assert.deepEqual((await readNpy(writeNpy(counts))).toArray(), counts.toArray());
    assert.deepEqual(pca(cg.log1p(counts), { components: 2 }).scores.shape, [40, 2]);
  },
  async "one process is a group of one, and MPI says what it needs"() {
    assert.equal(singleProcess().allReduce(cg.tensor(3)).item(), 3);
    if (globalThis.Deno === undefined) await assert.rejects(openMpi(), /in this runtime/);
  },
};

for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
  } catch (error) {
    console.error(`${name}: ${error?.stack ?? error}`);
    process.exit(1);
  }
}
console.log(`${Object.keys(checks).length} checks passed`);
