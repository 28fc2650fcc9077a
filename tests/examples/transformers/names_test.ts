/** The names of parameters, and files of them. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { readSafetensors, writeSafetensors } from "@cellgrad/cellgrad/data";
import { toStateDict } from "@cellgrad/cellgrad/nn";
import { key } from "@cellgrad/cellgrad/random";
import { zeros } from "@cellgrad/cellgrad";
import { initScformer } from "../../../examples/lib/scformer.ts";
import { initScgpt } from "../../../examples/lib/scgpt.ts";
import { loadWeights } from "../../../examples/lib/token_layers.ts";
import vectors from "./torch.json" with { type: "json" };

const WHOLE = { vocabulary: 1203, dModel: 512, heads: 8, feedForward: 512, layers: 12 };
const SMALL = { vocabulary: 5, dModel: 4, heads: 2, feedForward: 4, layers: 2 };

const shapesOf = (params: object) =>
  Object.fromEntries(Object.entries(toStateDict(params)).map(([name, x]) => [name, [...x.shape]]));

/** How many numbers there are, statistics aside. */
const count = (shapes: Record<string, readonly number[]>) =>
  Object.entries(shapes).filter(([name]) => !name.includes(".running_"))
    .reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);

Deno.test("initScgpt() has the names and shapes of scGPT's state_dict at 12 × 512 × 8", () => {
  const params = initScgpt(key(0), { ...WHOLE, batches: 3, types: 4, mvc: true, zeroProbs: true });
  assertEquals(sorted(shapesOf(params)), sorted(vectors.whole.scgpt));
  const d = 512;
  const [square, norm] = [d * d + d, 2 * d]; // d → d with biases, and layer normalisation
  const layers = 12 * (6 * square + 2 * norm); // attention 4, feed-forward 2
  assertEquals(count(shapesOf(params.transformer_encoder)), layers);
  const embeddings = (1203 + 3) * d + 2 * norm + 2 * d; // genes and batches, flags
  const values = 2 * d + square + norm;
  const expression = 2 * (2 * d * d + d + square + d + 1);
  const classifiers = 2 * (2 * square + 2 * norm) + (4 + 3) * (d + 1);
  const mvc = square + 2 * d * d + 2 * d * (d + 1);
  const rest = embeddings + values + expression + classifiers + mvc;
  assertEquals([layers + rest, count(shapesOf(params))], [23_767_561, 23_767_561]);
});

Deno.test("initScformer() has the names and shapes of scFormer's state_dict", () => {
  const params = initScformer(key(0), { ...WHOLE, types: 4, mvc: true });
  assertEquals(sorted(shapesOf(params)), sorted(vectors.whole.scformer));
});

function sorted<T>(named: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(named).sort(([a], [b]) => a < b ? -1 : 1);
}

Deno.test("loadWeights() takes a file with the names of flash-attn and counters", async () => {
  const params = initScgpt(key(1), { ...SMALL, batches: 2, affine: true });
  const named = Object.entries(toStateDict(params)).map(([name, x]) => {
    return [name.replace("self_attn.in_proj_", "self_attn.Wqkv."), x];
  });
  assert(named.some(([name]) => name === "transformer_encoder.layers.1.self_attn.Wqkv.weight"));
  const file = writeSafetensors({
    ...Object.fromEntries(named),
    "dsbn.bns.0.num_batches_tracked": zeros([], { dtype: "int32" }),
  });
  const { tensors } = await readSafetensors(file);
  const like = initScgpt(key(2), { ...SMALL, batches: 2, affine: true });
  const loaded = toStateDict(loadWeights(tensors, like));
  const given = toStateDict(params);
  assertEquals(Object.keys(loaded).sort(), Object.keys(given).sort());
  for (const [name, x] of Object.entries(loaded)) assertEquals(x.toArray(), given[name]!.toArray());
});

Deno.test("loadWeights() names what is missing and what is left over", () => {
  const tensors = toStateDict(initScgpt(key(1), SMALL));
  const like = initScgpt(key(1), { ...SMALL, types: 3 });
  assertThrows(
    () => loadWeights(tensors, like),
    TypeError,
    "missing are cls_decoder._decoder.0.weight, cls_decoder._decoder.0.bias",
  );
  const { flag_encoder: _, ...rest } = initScgpt(key(1), SMALL);
  assertThrows(() => loadWeights(tensors, rest), TypeError, "left over is flag_encoder.weight");
  const other = initScgpt(key(1), { ...SMALL, vocabulary: 6 });
  assertThrows(
    () => loadWeights(tensors, other),
    TypeError,
    "encoder.embedding.weight must have the shape [6, 4]",
  );
});
