import { assertEquals, assertNotEquals } from "@std/assert";
import { tensor } from "@cellgrad/cellgrad";
import { batchNorm } from "@cellgrad/cellgrad/nn";
import { key, normal } from "@cellgrad/cellgrad/random";
import { domainNorm, initDomainNorms } from "../../../examples/lib/domain_norm.ts";

const x = normal(key(0), [4, 3, 5]);

Deno.test("domainNorm() is batchNorm() by the norm of the domain, and leaves the others", () => {
  const norms = initDomainNorms(3, 3, true);
  const { output, norms: moved } = domainNorm(norms, x, tensor(1), { training: true });
  const own = norms.bns["1"]!;
  const expected = batchNorm(own, x, { state: own, training: true, epsilon: 6.1e-5 });
  assertEquals(output.toArray(), expected.output.toArray());
  assertEquals(moved.bns["1"]!.running_var.toArray(), expected.state.running_var.toArray());
  for (const other of ["0", "2"]) {
    assertEquals(String(moved.bns[other]!.running_mean), String(norms.bns[other]!.running_mean));
  }
  assertEquals(Object.keys(moved.bns), ["0", "1", "2"]);
});

Deno.test("domainNorm() normalizes by running statistics where it does not train", () => {
  const { norms } = domainNorm(initDomainNorms(2, 3, false), x, 0, { training: true });
  const [first, second] = [0, 1].map((k) => domainNorm(norms, x, k, { training: false }));
  assertNotEquals(String(first!.output), String(second!.output));
  assertEquals(String(first!.norms.bns["0"]!.running_mean), String(norms.bns["0"]!.running_mean));
});
