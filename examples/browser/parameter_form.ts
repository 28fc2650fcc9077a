/** Fields for parameters: a name, a range, what it does, and what is wrong with what was typed. */
/// <reference lib="dom" />
import { element } from "./dom.ts";
import {
  defaultsOf,
  describeRange,
  type Parameter,
  type Parameters,
  type ParameterValue,
  type ParameterValues,
  readParameter,
} from "./parameters.ts";

/**
 * Fills a form with a field for each parameter, and returns the values to begin with. What cannot
 * be used is said under its field, and the last value that could be stays in use.
 */
export function showParameters(
  form: HTMLElement,
  parameters: Parameters,
  onChange: (values: ParameterValues) => void,
): ParameterValues {
  let values = defaultsOf(parameters);
  const change = (name: string, value: ParameterValue) => {
    if (JSON.stringify(values[name]) === JSON.stringify(value)) return;
    values = { ...values, [name]: value };
    onChange(values);
  };
  form.replaceChildren(
    ...Object.entries(parameters).map(([name, parameter]) =>
      field(form.id, name, parameter, (value) => change(name, value))
    ),
  );
  return values;
}

function field(
  prefix: string,
  name: string,
  parameter: Parameter,
  onValue: (value: ParameterValue) => void,
): HTMLElement {
  const id = `${prefix}-${name}`;
  const input = control(id, parameter);
  const error = element("p", { class: "error", id: `${id}-error`, role: "alert", hidden: true });
  const read = () => {
    const typed = input instanceof HTMLInputElement && input.type === "checkbox"
      ? `${input.checked}`
      : input.value;
    try {
      onValue(readParameter(name, parameter, typed));
      error.hidden = true;
    } catch (problem) {
      error.textContent = (problem as Error).message;
      error.hidden = false;
    }
    input.setAttribute("aria-invalid", `${!error.hidden}`);
  };
  input.addEventListener("input", read);
  return element(
    "div",
    { class: "field" },
    element("label", { for: id }, name, element("span", { class: "quiet" }, rangeText(parameter))),
    input,
    error,
    element("p", { class: "quiet", id: `${id}-about` }, parameter.about),
  );
}

function control(id: string, parameter: Parameter): HTMLInputElement | HTMLSelectElement {
  const attributes = { id, "aria-describedby": `${id}-about ${id}-error` };
  const { kind } = parameter;
  if (kind === "choice") {
    return element(
      "select",
      attributes,
      ...parameter.choices.map((choice) =>
        element("option", { selected: choice === parameter.default }, choice)
      ),
    );
  }
  if (kind === "switch") {
    return element("input", { ...attributes, type: "checkbox", checked: parameter.default });
  }
  const start = kind === "numbers" ? parameter.default.join(" ") : parameter.default;
  return element("input", {
    ...attributes,
    value: start,
    inputmode: "decimal",
    spellcheck: "false",
  });
}

function rangeText(parameter: Parameter): string {
  const { kind } = parameter;
  if (kind === "choice") return `default ${parameter.default}`;
  if (kind === "switch") return `default ${parameter.default ? "on" : "off"}`;
  const start = kind === "numbers" ? parameter.default.join(" ") : parameter.default ?? "nothing";
  return `${describeRange(parameter)}; default ${start}`;
}
