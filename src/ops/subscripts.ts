/**
 * Subscripts of `einsum`: what the letters say of each operand's axes.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { formatShape, type Shape } from "../shape.ts";

/** Labels of axes: letters, and numbers for the axes of an ellipsis, counted from the last. */
export interface Subscripts {
  /** The labels of each operand's axes. */
  readonly inputs: readonly (readonly string[])[];
  /** The labels of the result's axes. */
  readonly output: readonly string[];
  /** The extent of each label. */
  readonly extents: ReadonlyMap<string, number>;
}

const ELLIPSIS = "...";

/**
 * Reads subscripts.
 *
 * @param text Letters for the axes of each operand, separated by commas; `...` for those in between;
 * behind `->` those of the result.
 * @param shapes The shapes of the operands.
 * @returns The labels.
 */
export function readSubscripts(text: unknown, shapes: readonly Shape[]): Subscripts {
  if (typeof text !== "string") throw refuse("must be a text", describe(text));
  const [left, right, ...more] = text.replaceAll(/\s/g, "").split("->");
  if (more.length > 0) throw refuse("must have at most one ->", text);
  const terms = left!.split(",").map((term) => readTerm(term, text));
  if (terms.length !== shapes.length) {
    throw refuse(
      `must name the axes of each operand, with a comma between two: ` +
        `there are ${shapes.length} operands and ${terms.length} terms`,
      text,
    );
  }
  const inputs = terms.map((term, i) => labelsOf(term, shapes[i]!, text));
  const extents = extentsOf(inputs, shapes, text);
  const hidden = [...extents.keys()].filter((label) => /\d/.test(label))
    .sort((a, b) => Number(b) - Number(a));
  const output = right === undefined
    ? [...hidden, ...onceNamed(inputs)]
    : outputLabels(readTerm(right, text), hidden, extents, text);
  return { inputs, output, extents };
}

function refuse(must: string, value: string): TypeError {
  return new TypeError(`Cannot compute einsum as subscripts ${must}: current value is ${value}`);
}

/** The letters of a term and its ellipsis. */
function readTerm(term: string, text: string): string[] {
  const labels = term.match(/\.\.\.|./gu) ?? [];
  const other = labels.find((label) => label !== ELLIPSIS && !/^[A-Za-z]$/.test(label));
  if (other !== undefined) throw refuse(`must be letters, commas, ... and ->, not ${other}`, text);
  if (labels.filter((label) => label === ELLIPSIS).length > 1) {
    throw refuse("must have at most one ... in each term", text);
  }
  return labels;
}

/** A label per axis: an ellipsis stands for those that have no letter. */
function labelsOf(term: readonly string[], shape: Shape, text: string): string[] {
  const at = term.indexOf(ELLIPSIS);
  const letters = at < 0 ? term.length : term.length - 1;
  if (at < 0 ? letters !== shape.length : letters > shape.length) {
    throw refuse(
      `must name each axis once: "${term.join("")}" names ${letters} of the shape ` +
        formatShape(shape),
      text,
    );
  }
  const count = shape.length - letters;
  return term.flatMap((label) =>
    label === ELLIPSIS ? Array.from({ length: count }, (_, i) => String(count - 1 - i)) : [label]
  );
}

/** The extent of each label; 1 meets any other. */
function extentsOf(
  inputs: readonly (readonly string[])[],
  shapes: readonly Shape[],
  text: string,
): Map<string, number> {
  const extents = new Map<string, number>();
  inputs.forEach((labels, i) =>
    labels.forEach((label, axis) => {
      const [known = 1, extent] = [extents.get(label), shapes[i]![axis]!];
      const twice = labels.indexOf(label) !== axis && shapes[i]![labels.indexOf(label)] !== extent;
      if (twice || (known !== 1 && extent !== 1 && known !== extent)) {
        throw refuse(
          `must give axes of one extent the same letter: "${
            /\d/.test(label) ? ELLIPSIS : label
          }" ` +
            `stands for several in the shapes ${shapes.map(formatShape).join(" and ")}`,
          text,
        );
      }
      extents.set(label, known === 1 ? extent : known);
    })
  );
  return extents;
}

/** The letters that are there once, in the order of the alphabet, capitals first. */
function onceNamed(inputs: readonly (readonly string[])[]): string[] {
  const all = inputs.flat().filter((label) => !/\d/.test(label));
  return all.filter((label) => all.indexOf(label) === all.lastIndexOf(label)).sort();
}

function outputLabels(
  term: readonly string[],
  hidden: readonly string[],
  extents: ReadonlyMap<string, number>,
  text: string,
): string[] {
  if (hidden.length > 0 && !term.includes(ELLIPSIS)) {
    throw refuse("must have ... in the result where operands have axes in it", text);
  }
  const labels = term.flatMap((label) => label === ELLIPSIS ? hidden : [label]);
  const unknown = labels.find((label) => !extents.has(label));
  if (unknown !== undefined) {
    throw refuse(`must name in the result what an operand has, not "${unknown}"`, text);
  }
  const twice = labels.find((label, i) => labels.indexOf(label) !== i);
  if (twice !== undefined) throw refuse(`must name "${twice}" once in the result`, text);
  return labels;
}
