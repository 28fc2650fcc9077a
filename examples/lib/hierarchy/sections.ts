/** The sections of the report on hierarchical annotation. */
import { formatCount, formatMetric } from "../format.ts";
import { type Markup, markup } from "../html.ts";
import { confusionPlot, curvePlot } from "../plots.ts";
import { bar, curveLegend, table } from "../report_parts.ts";
import { COLORS, treeFigure } from "./figures.ts";
import { cellsPerLevel, type Measures } from "./measures.ts";
import type { HierarchyResult } from "./report.ts";
import { drawingOrder } from "./tree.ts";

function colorLegend(): Markup {
  const entry = (color: string, text: string) =>
    markup`<li><svg width="14" height="12" viewBox="0 0 14 12" aria-hidden="true"><rect width="14"
height="10" y="1" fill="${color}"/></svg>${text}</li>`;
  return markup`<ul class="legend">${entry(COLORS.flat, "flat classifier")}${
    entry(COLORS.hierarchical, "hierarchical classifier")
  }</ul>`;
}

/** The tree of types, and where in it the errors are. */
export function treeSection({ cells, flat, hierarchical }: HierarchyResult): Markup {
  return markup`<section>
<h2>Where in the tree the errors are</h2>
<figure>
<figcaption>The tree of cell types from ${cells.ontology}: bold lines are groups, the others types.
Bars at a group: held-out cells mistaken between two of its branches; a bar further up the tree is a
worse mistake. Bars at a type: its cells that were given another type. Unit: cells; shorter bars are
better. Point at a shortened name to read it all.</figcaption>
${colorLegend()}
${treeFigure(cells.tree, flat, hierarchical)}
</figure>
</section>`;
}

/** Both classifiers, each read in both ways. */
export function comparisonSection(result: HierarchyResult): Markup {
  const { cells, flat, others, hierarchical } = result;
  const row = (m: Measures) =>
    markup`<tr><th scope="row">${m.name}</th>${
      [m.accuracy, m.macroF1, m.hierarchicalF1].map(bar)
    }<td>${m.errors}</td><td>${m.outsideBranch}</td></tr>\n`;
  return markup`<section>
<h2>Flat and hierarchical</h2>
<p class="quiet">Both see the same cells in the same order, fold by fold, with the same weight decay.
Each can be read in two ways: the most probable type, or down the tree, at every fork into the branch
with the larger sum of probabilities. Accuracy: share of cells given their type. Macro F1: mean over
the types, rare ones count alike. Hierarchical F1: the same for all terms above predicted and true
types together; a near miss costs less. These run from 0 to 1, higher is better. Errors: cells given
another type than theirs. Outside: those of them that were given a type of another main branch, of
${cells.branches.names.join(", ")}. Unit: cells; fewer are better.</p>
${
    table(
      "Flat and hierarchical classifier",
      ["read by", "accuracy", "macro F1", "hierarchical F1", "errors", "outside"],
      [flat, ...others, hierarchical].map(row),
    )
  }
</section>`;
}

/** Accuracy per level of the ontology. */
export function levelSection(result: HierarchyResult): Markup {
  const { cells, flat, hierarchical, localAccuracy, depthAccuracy } = result;
  const concerned = cellsPerLevel(cells);
  const classes = cells.hierarchy.classes.slice(1);
  const row = (level: number) =>
    markup`<tr><th scope="row">level ${level + 1}</th><td>${
      formatCount(classes[level]!.length)
    }</td><td>${formatCount(concerned[level]!)}</td>${
      [flat.levelAccuracy[level]!, hierarchical.levelAccuracy[level]!, localAccuracy[level]!].map(
        bar,
      )
    }</tr>\n`;
  return markup`<section>
<h2>Accuracy on each level of the ontology</h2>
<p class="quiet">A term's level is the length of the longest path from the root. A cell counts on the
levels where its type has a class above it, or is one; it is right where all its classes of the level
are told and no others, from 0 to 1, higher is better. Flat and hierarchical: the classes above the
predicted type. Local heads: what the network says on that level by itself, each class whose
probability is above one half; they are trained without weights for rare types. The global head tells
the depth of the right level for ${formatMetric(depthAccuracy)} of the cells.</p>
${
    table(
      "Accuracy on each level",
      ["level", "classes", "cells", "flat", "hierarchical", "local heads"],
      classes.map((_, level) => row(level)),
    )
  }
</section>`;
}

export function typeSection({ cells, flat, hierarchical }: HierarchyResult): Markup {
  const row = (type: number) =>
    markup`<tr><th scope="row">${cells.classes[type]}</th><td>${cells.terms[type]}</td><td>${
      formatCount(cells.labels.filter((label) => label === type).length)
    }</td>${
      [flat.recall, hierarchical.recall, flat.f1, hierarchical.f1].map((values) =>
        bar(values[type]!)
      )
    }</tr>\n`;
  return markup`<section>
<h2>Each cell type</h2>
<p class="quiet">Recall: share of the type's cells that were found. F1: harmonic mean of recall and
precision. From 0 to 1, higher is better.</p>
${
    table(
      "Measures of each type",
      ["type", "term", "cells", "recall, flat", "hierarchical", "F1, flat", "hierarchical"],
      [...cells.classes.keys()].map(row),
    )
  }
</section>`;
}

/** The confusion matrix of the hierarchical classifier, in the order of the tree. */
export function confusionSection({ cells, hierarchical }: HierarchyResult): Markup {
  const order = drawingOrder(cells.tree).flatMap((node) => {
    const { children, types } = cells.tree.nodes[node]!;
    return children.length === 0 ? [types[0]!] : [];
  });
  const counts = order.map((truth) =>
    order.map((predicted) =>
      cells.labels.reduce(
        (sum, label, cell) =>
          sum + Number(label === truth && hierarchical.prediction[cell] === predicted),
        0,
      )
    )
  );
  return markup`<section>
<h2>Which types are taken for which</h2>
<figure>
<figcaption>The hierarchical classifier, types in the order of the tree. Each row holds the cells of
one true type, each column the cells given one type. The numbers are cells; no number means none.
Colour is the share of the row, in percent. Good is a strong diagonal (outlined); what is beside it is
better near than far, as neighbours are kin.</figcaption>
<p class="quiet">0 % <span class="ramp"></span> 100 % of the true type</p>
<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix">
${confusionPlot(order.map((type) => cells.classes[type]!), counts)}
</div>
</figure>
</section>`;
}

/** The loss of the hierarchical classifier, fold by fold. */
export function trainingSection({ histories, settings }: HierarchyResult): Markup {
  const folds = histories.map((history) => ({
    training: history.map(({ losses }) => losses.total!),
    heldOut: history.map(({ measures }) => measures.heldOutLoss!),
  }));
  const top = Math.max(...folds.flatMap(({ training, heldOut }) => [...training, ...heldOut]));
  const axes = { label: "loss (nats per cell)", top, epochs: settings.epochs };
  const panel = (fold: typeof folds[number], i: number) => {
    const { global, local, focal } = histories[i]!.at(-1)!.losses;
    return markup`<div><h3>Fold ${i + 1}</h3>
${curvePlot(fold, axes)}
<p class="quiet">at the end: global ${formatMetric(global)}, local ${formatMetric(local)}, focal ${
      formatMetric(focal)
    }</p></div>\n`;
  };
  return markup`<section>
<h2>Training of the hierarchical classifier</h2>
<figure>
<figcaption>The loss β · global + local + φ · focal after each epoch (one pass over the training cells),
per fold: mean over cells, in nats. Lower is better. The focal part is weighted by the inverse share of
the types, so that all types count alike.</figcaption>
${curveLegend()}
<div class="panels" style="--least:165px;--most:230px">
${folds.map(panel)}</div>
</figure>
</section>`;
}
