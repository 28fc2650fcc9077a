/**
 * Elements of a page, briefly.
 *
 * @module
 */
/// <reference lib="dom" />

/** What an element may hold. */
export type Child = Node | string | undefined;

/**
 * Makes an element.
 *
 * @param tag Its name.
 * @param attributes Its attributes; `true` is one without a value, `false` and `undefined` none.
 * @param children What it holds; text is never read as HTML.
 * @returns The element.
 */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  setAttributes(made, attributes);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/**
 * Makes an element of SVG.
 *
 * @param tag Its name.
 * @param attributes Its attributes.
 * @param children What it holds.
 * @returns The element.
 */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(made, attributes);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

function setAttributes(
  made: Element,
  attributes: Readonly<Record<string, string | number | boolean | undefined>>,
): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : `${value}`);
    }
  }
}

/**
 * The element of the page with an id.
 *
 * @param id The id.
 * @returns The element.
 * @throws {Error} If the page has none.
 */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element "${id}"`);
  return found;
}

/**
 * A number for people: four digits, and an exponent only where it is needed.
 *
 * @param x The number.
 * @returns The text, with a true minus sign.
 */
export function formatNumber(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "not a number" : `${x > 0 ? "" : "−"}∞`;
  const size = Math.abs(x);
  const isShort = size === 0 || (size >= 1e-3 && size < 1e6);
  const text = isShort ? String(Number(x.toPrecision(4))) : x.toExponential(2);
  return text.replaceAll("-", "−").replace("e+", "e");
}
