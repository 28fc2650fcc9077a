import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { findSnippets, snippetModules } from "./snippets.ts";

const fence = (code: string, mark = "ts") => "```" + mark + "\n" + code + "\n```\n";

/** The examples of a Markdown text. */
function inMarkdown(text: string) {
  return findSnippets("page.md", text, (specifier) => specifier.replace("..", "root"));
}

Deno.test("findSnippets() finds fences of ts in Markdown and leaves the others", () => {
  const text = `One\n\n${fence("const a = 1;")}${fence("ls", "sh")}${fence("no()", "ts ignore")}`;
  const [only, ...rest] = inMarkdown(text);
  assertEquals(rest, []);
  assertEquals(only!.name, "page.md:3");
  assertEquals(only!.body.trim(), "const a = 1;");
});

Deno.test("findSnippets() takes examples out of comments, with their titles", () => {
  const lines = [
    " * @example Half",
    " * ```ts",
    ' * import { a } from "x";',
    " *",
    " * a();",
    " * ```",
  ];
  const [only] = findSnippets("half.ts", `/**\n${lines.join("\n")}\n */\n`, (x) => x);
  assertEquals(only!.name, "half.ts:3 Half");
  assertEquals(only!.imports.get("a"), { from: "x", imported: "a", isType: false });
  assertEquals(only!.body.trim(), "a();");
});

Deno.test("findSnippets() reads imports of every form, and resolves relative ones", () => {
  const code = [
    'import { a, type B, c as d } from "x";',
    'import type { E } from "../y.ts";',
    'import * as z from "z";',
    "export const f = 1;",
  ].join("\n");
  const [{ imports, body }] = inMarkdown(fence(code)) as [ReturnType<typeof inMarkdown>[0]];
  assertEquals(Object.fromEntries(imports), {
    a: { from: "x", imported: "a", isType: false },
    B: { from: "x", imported: "B", isType: true },
    d: { from: "x", imported: "c", isType: false },
    E: { from: "root/y.ts", imported: "E", isType: true },
    z: { from: "z", imported: "*", isType: false },
  });
  assertEquals(body.trim(), "const f = 1;");
});

Deno.test("findSnippets() rejects imports that it would lose", () => {
  assertThrows(
    () => inMarkdown(fence('import a from "x";')),
    SyntaxError,
    "Cannot read the example at page.md:1: its imports or exports are unusual",
  );
});

Deno.test("snippetModules() keeps names of different origin in different modules", () => {
  const one = fence('import { a, type B } from "x";\na();');
  const same = fence('import { B } from "x";\nB();');
  const other = fence('import { a } from "y";\na();');
  const modules = snippetModules(inMarkdown(one + same + other));
  assertEquals(modules.length, 2);
  assertStringIncludes(modules[0]!, 'import { B } from "x";');
  assertStringIncludes(modules[1]!, 'import { a } from "y";');
  assertEquals(modules.map((text) => text.match(/Deno\.test\(/g)!.length), [2, 1]);
});
