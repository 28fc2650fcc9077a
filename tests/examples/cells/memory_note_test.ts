import { assertEquals } from "@std/assert";
import { memoryNote } from "../../../examples/lib/cells/annotated_file.ts";

Deno.test("memoryNote() says what a large matrix takes, and nothing of a small one", () => {
  assertEquals(memoryNote("X of a.h5ad", [200_000, 1000], 8e8), undefined);
  assertEquals(
    memoryNote("X of a.h5ad", [200_000, 20_000], 16e9),
    "X of a.h5ad: 200,000 × 20,000 take 14.9 GiB of memory when they are read, and more while they " +
      "are prepared; cellLoader of ./data goes over files that are larger than memory",
  );
});
