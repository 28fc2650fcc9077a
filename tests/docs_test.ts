import { assert, assertEquals, assertMatch } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, ROOT));
const PAGES = ["README.md", "CONTRIBUTING.md"].concat(
  [...Deno.readDirSync(new URL("docs/", ROOT))].filter(({ name }) => name.endsWith(".md"))
    .map(({ name }) => `docs/${name}`).sort(),
);

/** Headings of a page, as GitHub writes them in links. */
function anchorsOf(page: string): string[] {
  const text = read(page).replaceAll(/^```[^]*?^```/gm, "");
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
  );
}

Deno.test("pages link only to files and headings that exist", () => {
  for (const page of PAGES) {
    for (const [, link] of read(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path, anchor] = link!.split("#") as [string, string?];
      const target = path === "" ? page : new URL(path, `file:///${page}`).pathname.slice(1);
      assert(Deno.statSync(new URL(target, ROOT)).isFile, `${page}: ${link}`);
      if (anchor === undefined) continue;
      assert(anchorsOf(target).includes(anchor), `${page}: there is no heading for ${link}`);
    }
  }
});

Deno.test("pages name only tasks that exist", () => {
  const { tasks } = JSON.parse(read("deno.json"));
  for (const page of PAGES) {
    for (const [, task] of read(page).matchAll(/deno(?:@[\d.]+)? task ([\w:-]+)/g)) {
      assert(task! in tasks, `${page}: there is no task ${task}`);
    }
  }
});

/** The rows of the first table under a line that starts with `| first |`. */
function rowsOf(page: string, first: string): string[][] {
  const lines = read(page).split("\n");
  const head = lines.findIndex((line) => line.split("|")[1]?.trim() === first);
  assert(head >= 0, `${page}: there is no table of ${first}`);
  const end = lines.findIndex((line, i) => i > head && !line.startsWith("|"));
  return lines.slice(head + 2, end).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
}

/** What every section of coming_from.md compares with. */
const COMPARED: Readonly<Record<string, readonly string[]>> = {
  "PyTorch": ["PyTorch"],
  "pytorch-metric-learning": ["pytorch-metric-learning", "MONAI, optax"],
  "optax, scikit-learn, pycox and lifelines": ["optax", "scikit-learn", "pycox", "lifelines"],
  "scanpy and scIB": ["scanpy", "scIB", "scib-metrics"],
  "scvi-tools": ["scvi-tools"],
  "State": ["State"],
  "scGPT": ["scGPT"],
  "scFormer": ["scFormer", "GEARS"],
  "UniCell": ["UniCell"],
  "DiffBio": ["DiffBio"],
  "The segmentation guide": ["dinov3_playground"],
  "MONAI": ["MONAI"],
  "segmentation_models.pytorch": ["segmentation_models.pytorch"],
  "nnU-Net": ["nnU-Net"],
  "GeomLoss and POT": ["GeomLoss", "POT"],
};

Deno.test("coming_from.md names the version or the commit of every original that it compares with", () => {
  const page = "docs/coming_from.md";
  const versions = new Map(rowsOf(page, "original").map(([name, state]) => [name!, state!]));
  const sections = [...read(page).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading!);
  assertEquals(sections, Object.keys(COMPARED));
  for (const name of Object.values(COMPARED).flat()) {
    assertMatch(versions.get(name) ?? "", /\d\.\d|\b[0-9a-f]{7}\b/, name);
  }
});

Deno.test("architecture.md says what every kind of operation is", () => {
  const kinds = [...read("src/op.ts").matchAll(/readonly kind: "(\w+)";/g)].map(([, kind]) =>
    kind!
  );
  const told = rowsOf("docs/architecture.md", "kind").map(([kind]) => kind!.replaceAll("`", ""));
  assertEquals(told.toSorted(), kinds.toSorted());
});
