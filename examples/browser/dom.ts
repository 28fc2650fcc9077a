/** Elements of a page, briefly. */
/// <reference lib="dom" />

/** What an element may hold. */
export type Child = Node | string | undefined;

/** Makes an element; `true` is an attribute without a value, `false` and `undefined` none. */
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

/** Makes an element of SVG. */
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

export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element "${id}"`);
  return found;
}

/** A number for people: four digits, an exponent only where it is needed, and a true minus sign. */
export function formatNumber(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "not a number" : `${x > 0 ? "" : "−"}∞`;
  const size = Math.abs(x);
  const isShort = size === 0 || (size >= 1e-3 && size < 1e6);
  const text = isShort ? String(Number(x.toPrecision(4))) : x.toExponential(2);
  return text.replaceAll("-", "−").replace("e+", "e");
}
