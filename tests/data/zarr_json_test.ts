import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { openAnnData } from "../../src/data/anndata.ts";
import { updateAnnData, writeAnnData } from "../../src/data/write_anndata.ts";
import { parseJson, toJson } from "../../src/data/zarr_json.ts";
import { inTempDirectory } from "./write.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("toJson() writes ASCII that parseJson() reads, numbers that JSON lacks among them", () =>
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), fc.double(), (value, number) => {
      const all = { value, [String(number)]: [number + 0], text: "NaN, -Infinity" };
      const bytes = toJson(all);
      assertEquals(bytes.findIndex((byte) => byte > 0x7e), -1);
      assertEquals(JSON.stringify(parseJson(bytes)), JSON.stringify(all));
      assertEquals((parseJson(bytes) as typeof all)[String(number)], all[String(number)]);
    }),
    { seed: 1, numRuns: 500 },
  ));

Deno.test("parseJson() reads the numbers that Python writes, but within texts", () => {
  const text = '{"a": [NaN, -Infinity, Infinity, 1], "Infinity": "\\"NaN", "b": NaN}';
  const value = { a: [NaN, -Infinity, Infinity, 1], Infinity: '"NaN', b: NaN };
  assertEquals(parseJson(encode(text)), value);
  assertEquals(JSON.parse(new TextDecoder().decode(toJson(["ü\u{1f9ec}"]))), ["ü\u{1f9ec}"]);
  for (const wrong of ["NaN NaN", "[NaNInfinity]", '{"a": nan}', '"NaN', "{NaN: 1}", "-NaN"]) {
    assertThrows(() => parseJson(encode(wrong)), SyntaxError);
  }
});

for (const zarrVersion of [2, 3] as const) {
  Deno.test(`metadata of Zarr ${zarrVersion} stay ASCII, and keep NaN, as columns are added`, () =>
    inTempDirectory(async (folder) => {
      const path = `${folder}/x.zarr`;
      await writeAnnData(path, { obs: { "größe": [1, 2] } }, { zarrVersion });
      const place = `${path}/obs/${zarrVersion === 2 ? ".zattrs" : "zarr.json"}`;
      const text = await Deno.readTextFile(place);
      await Deno.writeTextFile(place, text.replace('"_index"', '"score": NaN, "_index"'));
      await updateAnnData(path, { obs: { "細胞": ["a", "b"] } });
      await using file = await openAnnData(path);
      assertEquals(file.keys.obs, ["größe", "細胞"]);
      const after = await Deno.readTextFile(place);
      assertEquals([after.includes('"score": NaN'), /[^\n -~]/.test(after)], [true, false]);
    }));
}
