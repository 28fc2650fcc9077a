import { assert, assertEquals } from "@std/assert";
import { countRooms, findExcess, readSizes, type Room, ROOMS, sizeTable } from "./size.ts";

const SIZES = new Map([
  ["kernels/sort/wasm.ts", 30],
  ["kernels/wgsl.ts", 7],
  ["src/gone.ts", 0],
  ["src/op.ts", 12],
  ["src/tensor.ts", 401],
]);

const HOUSE: Room[] = [
  { name: "core", paths: ["src/op.ts"], budget: 12 },
  { name: "compiler", paths: ["kernels/"], budget: 36 },
  { name: "rest", paths: ["src/"] },
];

Deno.test("countRooms() counts files in the first room that names them, and folders", () => {
  const counted = countRooms(SIZES, HOUSE);
  assertEquals(counted.map(({ name, inner, files, lines }) => [name, inner, files, lines]), [
    ["core", false, 1, 12],
    ["compiler", false, 2, 37],
    ["kernels/", true, 1, 7],
    ["kernels/sort/", true, 1, 30],
    ["rest", false, 1, 401],
  ]);
});

Deno.test("findExcess() names rooms and files beyond their budgets", () => {
  assertEquals(findExcess(SIZES, HOUSE), [
    "compiler has 37 lines, 1 more than its budget",
    "src/tensor.ts has 401 lines, 1 more than its budget",
  ]);
});

Deno.test("sizeTable() gives what was before on request", () => {
  const [core] = countRooms(SIZES, HOUSE);
  const lines = (text: string) => text.split("\n").map((line) => line.replaceAll(/ {2,}/g, "|"));
  assertEquals(lines(sizeTable([core!]))[2], "core|1|12|12");
  const table = sizeTable([core!], [{ ...core!, lines: 10 }]);
  assertEquals(lines(table)[0], "room|files|lines|before|change|budget");
  assertEquals(lines(table)[2], "core|1|12|10|+2|12");
});

Deno.test("every file has its room, and every path of a room its files", () => {
  const sizes = readSizes();
  const counted = countRooms(sizes, ROOMS).filter(({ inner }) => !inner);
  assertEquals(counted.reduce((sum, { files }) => sum + files, 0), sizes.size);
  for (const path of ROOMS.flatMap(({ paths }) => paths)) {
    const isThere = [...sizes.keys()].some((file) => file.startsWith(path));
    assert(isThere, `${path} has no files: ROOMS in tests/size.ts names it`);
  }
});

Deno.test("the library keeps its budgets", () => {
  assertEquals(findExcess(readSizes(), ROOMS), []);
});
