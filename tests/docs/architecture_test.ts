import { assertEquals } from "@std/assert";
import { PAGE, printPage, prints } from "./architecture.ts";

Deno.test("docs/architecture.md prints what the compiler makes (deno task print:architecture)", async () => {
  const page = Deno.readTextFileSync(PAGE);
  assertEquals(page, await printPage(page));
});

Deno.test("docs/architecture.md has a place for every print", async () => {
  const page = Deno.readTextFileSync(PAGE);
  const places = [...page.matchAll(/<!-- print (\w+) -->/g)].map(([, name]) => name!);
  assertEquals(places.toSorted(), [...(await prints()).keys()].toSorted());
});
