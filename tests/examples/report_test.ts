import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertFalse,
  assertStringIncludes,
} from "@std/assert";
import { parseHTML } from "linkedom";
import { evenlySpread } from "../../examples/lib/evenly_spread.ts";
import { markup } from "../../examples/lib/html.ts";
import { DISTINCT_LOOKS, typeLook } from "../../examples/lib/plots.ts";
import { annotationReport, type AnnotationResult } from "../../examples/lib/report.ts";

/** The little that these tests ask of a parsed page. */
interface Node {
  textContent: string;
  getAttribute(name: string): string | null;
  querySelectorAll(selector: string): Iterable<Node>;
}

function parse(text: string): Node {
  return (parseHTML(text) as unknown as { document: Node }).document;
}

function texts(node: Node, selector: string): string[] {
  return [...node.querySelectorAll(selector)].map(({ textContent }) => textContent.trim());
}

/** A run on `cells` cells of the types, every fifth predicted as the next type. */
function run(classes: string[], cells: number, changes: Partial<AnnotationResult> = {}) {
  const truth = Int32Array.from({ length: cells }, (_, cell) => cell % classes.length);
  const prediction = truth.map((type, cell) => cell % 5 === 0 ? (type + 1) % classes.length : type);
  const confusion = classes.map(() => classes.map(() => 0));
  truth.forEach((type, cell) => confusion[type]![prediction[cell]!]!++);
  const drawn = evenlySpread(cells, 400);
  const perClass = classes.map((name) => ({
    name,
    cells: cells / classes.length,
    recall: 0.8,
    precision: 0.75,
    f1: 0.774,
    iou: 0.632,
  }));
  return {
    title: "Annotation",
    dataset: { source: "cells.h5ad", cells, genes: 765, genesUsed: 500, simulated: false },
    settings: { loss: "focal", gamma: 2 },
    lossDescription: "Loss Configuration:\n  Type: focal",
    classes,
    folds: [{ trainLoss: [2, 1, 0.5], validationLoss: [2.1, 1.2, 0.9] }],
    confusion,
    perClass,
    accuracy: 0.8,
    macroF1: 0.774,
    foldAccuracies: [0.8],
    embedding: {
      cells: drawn,
      x: Float64Array.from(drawn, (cell) => truth[cell]! + Math.sin(cell)),
      y: Float64Array.from(drawn, (cell) => truth[cell]! ** 2 + Math.cos(cell)),
      explainedVariance: [0.25, 0.125] as const,
    },
    truth,
    prediction,
    elapsedSeconds: 75,
    interrupted: false,
    ...changes,
  } satisfies AnnotationResult;
}

const TYPES = ["CD14+ Monocyte", "CD8+/CD45RA+ Naive Cytotoxic", "CD34+"];
const HOSTILE = [`<script>alert(1)</script>`, `"><img src=x onerror='alert(2)'>`, `&amp;]]>`];

Deno.test("annotationReport() shows the metrics, settings and loss configuration", () => {
  const document = parse(annotationReport(run(TYPES, 60)));
  assertEquals(texts(document, ".tiles b"), ["0.800", "0.774", "0.333", "0.800", "1 min 15 s"]);
  assertEquals(texts(document, "dl div"), ["lossfocal", "gamma2"]);
  assertEquals(texts(document, "pre"), ["Loss Configuration:\n  Type: focal"]);
  assertEquals(texts(document, "header p"), ["cells.h5ad · 60 cells · 765 genes, 500 used"]);
});

Deno.test("annotationReport() says what each type is mistaken for", () => {
  const document = parse(annotationReport(run(TYPES, 60)));
  const rows = [...document.querySelectorAll("tbody tr")].map((row) => texts(row, "th, td"));
  assertEquals(rows[0], [
    TYPES[0]!,
    "20",
    "0.800",
    "0.750",
    "0.774",
    "0.632",
    `${TYPES[1]} (20 %)`,
  ]);
});

Deno.test("annotationReport() loads nothing and runs no script", () => {
  const text = annotationReport(run(TYPES, 60));
  const document = parse(text);
  const loading = "script, link, img, iframe, object, embed, base, [src], [onload], [onerror]";
  assertEquals([...document.querySelectorAll(loading)].length, 0);
  assertFalse(/url\(|@import|javascript:/.test(text));
  const addresses = text.match(/https?:\/\/[^"' ]+/g) ?? [];
  assertEquals(addresses.filter((url) => !url.startsWith("http://www.w3.org/")), []);
  assertStringIncludes(text, "default-src 'none'");
});

Deno.test("annotationReport() escapes every name from the data", () => {
  const result = run(HOSTILE, 60, {
    title: HOSTILE[0]!,
    settings: { [HOSTILE[0]!]: HOSTILE[1]! },
    lossDescription: HOSTILE.join(""),
  });
  result.dataset.source = HOSTILE[1]!;
  const text = annotationReport(result);
  assertFalse(/<script|<img|<\/script/.test(text));
  const document = parse(text);
  assertEquals(texts(document, "tbody th"), HOSTILE);
  assertEquals(texts(document, "title")[0], HOSTILE[0]);
  assertEquals(texts(document, "h1"), [HOSTILE[0]!]);
  assertEquals(texts(document, "dd"), [HOSTILE[1]!]);
});

Deno.test("annotationReport() draws the confusion matrix with counts, names and shares", () => {
  const document = parse(annotationReport(run(TYPES, 60)));
  const [figure] = document.querySelectorAll("[aria-label='Confusion matrix'] svg");
  const counts = texts(figure!, "[aria-label=text] text");
  assertEquals(counts, ["16", "4", "16", "4", "4", "16"]);
  const opacities = [...figure!.querySelectorAll("[aria-label=cell] rect")]
    .map((rect) => rect.getAttribute("fill-opacity"));
  assertEquals(opacities, ["0.8", "0.2", "0.8", "0.2", "0.2", "0.8"]);
  assertEquals(texts(figure!, "[aria-label='y-axis tick label'] text"), TYPES);
  assertStringIncludes(
    texts(figure!, "title")[1]!,
    `True ${TYPES[0]}, predicted ${TYPES[1]}: 4 cells, 20 % of the true type`,
  );
});

Deno.test("annotationReport() keeps types apart whose names look alike", () => {
  const twins = ["a".repeat(20) + "1" + "b".repeat(20), "a".repeat(20) + "2" + "b".repeat(20)];
  const document = parse(annotationReport(run(twins, 40)));
  const [figure] = document.querySelectorAll("[aria-label='Confusion matrix'] svg");
  assertEquals([...figure!.querySelectorAll("[aria-label=cell] rect")].length, 4);
  assertEquals(texts(document, "tbody th"), twins);
});

Deno.test("annotationReport() draws each cell twice: by type and by correctness", () => {
  const document = parse(annotationReport(run(TYPES, 60)));
  const figures = [...document.querySelectorAll(".paired figure")];
  const symbols = figures.map((
    figure,
  ) => [...figure.querySelectorAll("svg [aria-label=dot] path, svg [aria-label=dot] circle")]);
  // The legends hold three and two symbols more.
  assertEquals(symbols.map((list) => list.length), [60 + 3, 60 + 2]);
  assertEquals(texts(figures[0]!, "li"), TYPES.map((name) => `${name} (20)`));
  assertEquals(texts(figures[1]!, "li"), ["correct (48)", "wrong (12)"]);
});

Deno.test("annotationReport() draws wrong cells above correct ones", () => {
  const document = parse(annotationReport(run(TYPES, 60)));
  const figure = [...document.querySelectorAll(".paired figure")][1]!;
  const titles = texts(figure, "title");
  const wrong = titles.map((title) => !/true (.*), predicted \1$/.test(title));
  assertEquals(wrong, Array.from({ length: 60 }, (_, index) => index >= 48));
});

Deno.test("annotationReport() draws a part of very many cells and says so", () => {
  const document = parse(annotationReport(run(TYPES, 1200)));
  const [figure] = document.querySelectorAll(".paired figure");
  const drawn = texts(figure!, "title");
  assertAlmostEquals(drawn.length, 400, 2);
  for (const name of TYPES) {
    const share = drawn.filter((title) => title.includes(`true ${name},`)).length / drawn.length;
    assertAlmostEquals(share, 1 / 3, 0.01);
  }
  const said = `${drawn.length.toLocaleString("en")} of the 1,200 cells are drawn, evenly spread; `;
  assert(texts(document, "section p").some((text) => text.includes(said)));
  assertEquals(texts(figure!, "li")[0], `${TYPES[0]} (400)`);
});

Deno.test("annotationReport() tells the probability of a prediction where it is known", () => {
  const known = parse(annotationReport(run(TYPES, 6, { confidence: [0.9, 0.8, NaN, 1, 1, 1] })));
  const [figure] = known.querySelectorAll(".paired figure");
  const titles = texts(figure!, "title");
  assert(titles.includes(`Cell 2: true ${TYPES[1]}, predicted ${TYPES[1]}, probability 0.800`));
  assert(titles.includes(`Cell 3: true ${TYPES[2]}, predicted ${TYPES[2]}, probability –`));
});

Deno.test("annotationReport() draws a panel per fold, and accuracies where there are any", () => {
  const fold = { trainLoss: [2, 1], validationLoss: [2, 1.5] };
  const count = (folds: AnnotationResult["folds"]) =>
    texts(parse(annotationReport(run(TYPES, 60, { folds }))), ".panels h3")
      .filter((title) => title.startsWith("Fold")).length;
  assertEquals(count([fold, fold, fold]), 3);
  assertEquals(count([fold, { ...fold, validationAccuracy: [0.5, 0.6] }]), 4);
});

Deno.test("annotationReport() says that a run was interrupted and how far it came", () => {
  const prediction = Int32Array.from({ length: 60 }, (_, cell) => cell < 20 ? cell % 3 : -1);
  const document = parse(annotationReport(run(TYPES, 60, { interrupted: true, prediction })));
  const [note] = texts(document, ".note").map((text) => text.replaceAll("\n", " "));
  assertEquals(
    note,
    "Interrupted. The run was stopped before its end. This report covers what was reached: " +
      "1 finished fold, 20 of 60 cells predicted.",
  );
  const legend = texts([...document.querySelectorAll(".paired figure")][1]!, "li");
  assertEquals(legend, ["not predicted (40)", "correct (20)", "wrong (0)"]);
});

Deno.test("annotationReport() is readable when not one epoch was finished", () => {
  const text = annotationReport(run(TYPES, 60, {
    interrupted: true,
    folds: [],
    foldAccuracies: [],
    confusion: TYPES.map(() => [0, 0, 0]),
    perClass: TYPES.map((name) => ({
      name,
      cells: 0,
      recall: NaN,
      precision: undefined,
      f1: NaN,
      iou: NaN,
    })),
    accuracy: NaN,
    macroF1: undefined,
    prediction: new Int32Array(60).fill(-1),
  }));
  assertFalse(/NaN|undefined|Infinity|⚠/.test(text));
  const document = parse(text);
  assertEquals(texts(document, ".tiles b").slice(0, 4), ["–", "–", "–", "–"]);
  assertEquals(texts(document, ".bar"), Array(12).fill("–"));
  assert(texts(document, "section p").includes("No epoch was finished."));
});

Deno.test("annotationReport() leaves gaps where losses or components are not numbers", () => {
  const nothing = new Float64Array(60).fill(NaN);
  const text = annotationReport(run(TYPES, 60, {
    folds: [{ trainLoss: [NaN, 1, Infinity, 0.5], validationLoss: [NaN, NaN] }],
    embedding: {
      cells: evenlySpread(60, 60),
      x: nothing,
      y: nothing,
      explainedVariance: [NaN, NaN],
    },
  }));
  assertFalse(/NaN|undefined|Infinity|⚠/.test(text));
  assertStringIncludes(text, "principal component 1<");
});

Deno.test("annotationReport() says that simulated cells are simulated", () => {
  const notes = (simulated: boolean) => {
    const result = run(TYPES, 60);
    result.dataset.simulated = simulated;
    return texts(parse(annotationReport(result)), ".note");
  };
  assertEquals(notes(false), []);
  assertStringIncludes(notes(true)[0]!, "Simulated cells.");
});

Deno.test("annotationReport() gives the same text for the same run", () => {
  assertEquals(annotationReport(run(TYPES, 60)), annotationReport(run(TYPES, 60)));
});

Deno.test("typeLook() gives each of the first types a look of its own", () => {
  const looks = Array.from({ length: DISTINCT_LOOKS }, (_, type) => JSON.stringify(typeLook(type)));
  assertEquals(new Set(looks).size, DISTINCT_LOOKS);
  assert(DISTINCT_LOOKS >= 20);
  assertEquals(typeLook(DISTINCT_LOOKS), typeLook(0));
});

Deno.test("markup escapes values and keeps markup", () => {
  const inner = markup`<b>${"<&\"'>"}</b>`;
  assertEquals(
    markup`<p title="${'"x"'}">${[inner, 1, undefined, "&"]}</p>`.source,
    '<p title="&quot;x&quot;"><b>&lt;&amp;&quot;&#39;&gt;</b>1&amp;</p>',
  );
});
