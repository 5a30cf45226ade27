import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(__dirname, "..", "..");

interface Manifest {
  readonly main: string;
  readonly icon: string;
  readonly contributes: {
    readonly languages: readonly { readonly configuration: string; readonly icon: { light: string; dark: string } }[];
    readonly grammars: readonly { readonly path: string }[];
    readonly snippets: readonly { readonly path: string }[];
    readonly commands: readonly { readonly command: string }[];
  };
}

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;

test("what the manifest names is packaged, and nothing else", () => {
  const vsce = join(root, "node_modules", "@vscode", "vsce", "vsce");
  const listed = execFileSync(process.execPath, [vsce, "ls", "--no-dependencies"], { cwd: root, encoding: "utf8" });
  const { contributes, icon, main } = manifest;
  const named = [
    main,
    icon,
    ...contributes.languages.flatMap((it) => [it.configuration, it.icon.light, it.icon.dark]),
    ...contributes.grammars.map((it) => it.path),
    ...contributes.snippets.map((it) => it.path),
  ];
  const always = ["CHANGELOG.md", "LICENSE", "README.md", "package.json"];
  const wanted = [...new Set([...named, ...always])].sort();
  assert.deepEqual(listed.split("\n").filter((it) => it !== "").sort(), wanted);
});

test("every command is registered", () => {
  const source = readFileSync(join(root, "src", "extension.ts"), "utf8");
  for (const { command } of manifest.contributes.commands) {
    assert.ok(source.includes(`registerCommand("${command}"`), command);
  }
});

test("the language configuration is what Visual Studio Code reads", () => {
  const file = join(root, "language-configuration.json");
  assert.ok(existsSync(file));
  const configuration = JSON.parse(readFileSync(file, "utf8")) as {
    wordPattern: string;
    indentationRules: { increaseIndentPattern: string; decreaseIndentPattern: string };
    onEnterRules: { beforeText: { pattern: string } }[];
  };
  const words = (text: string): string[] => text.match(new RegExp(configuration.wordPattern, "g")) ?? [];
  assert.deepEqual(words("GET /users/{id} -> user-service.v2, 10% 64KiB ::1"), [
    "GET", "/users/", "id", "user-service.v2", "10%", "64KiB", "::1",
  ]);
  assert.deepEqual(words("name: x->y"), ["name", "x", "y"]);

  const opens = new RegExp(configuration.indentationRules.increaseIndentPattern);
  for (const line of ["service a {", "  GET /a -> b { # why", "let a = [", 'x "a { b" {', "  when ("]) {
    assert.match(line, opens);
  }
  for (const line of ["service a { }", "# service a {", 'x "a {"', "timeout 5s { connect 1s }", ""]) {
    assert.doesNotMatch(line, opens);
  }
  const closes = new RegExp(configuration.indentationRules.decreaseIndentPattern);
  assert.match("  } # why", closes);
  assert.doesNotMatch("  a }", closes);

  const goesOn = new RegExp(configuration.onEnterRules.at(-1)?.beforeText.pattern ?? "^$");
  for (const line of ["  GET /a ->", "  when a and", "  x when b =="]) {
    assert.match(line, goesOn);
  }
  for (const line of ["  timeout 5s", "  -> band", "# a ->"]) {
    assert.doesNotMatch(line, goesOn);
  }
});
