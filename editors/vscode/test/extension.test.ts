// The bundle as Visual Studio Code loads it, with a stand-in for the editor that says yes to everything.

import assert from "node:assert/strict";
import Module from "node:module";
import { join } from "node:path";
import { test } from "node:test";

type Call = readonly [name: string, ...values: unknown[]];

/** Something that can be called, constructed and asked for anything, and gives out more of its kind. */
function anything(known: Record<string, unknown> = {}): unknown {
  const target = function () {};
  return new Proxy(target, {
    get: (_, key) => {
      if (typeof key === "string" && key in known) return known[key];
      // Neither a promise nor a list nor text.
      if (key === "then" || typeof key === "symbol") return undefined;
      return key === "prototype" ? target.prototype : anything();
    },
    ownKeys: () => [...Reflect.ownKeys(target), ...Object.keys(known)],
    getOwnPropertyDescriptor: (_, key) =>
      typeof key === "string" && key in known
        ? { configurable: true, enumerable: true, value: known[key] }
        : Reflect.getOwnPropertyDescriptor(target, key),
    apply: () => anything(),
    construct: () => anything() as object,
  });
}

/** The editor, with one open document, and what it was asked to do. */
function editor(language: string): { vscode: unknown; calls: Call[]; commands: Map<string, () => Promise<void>> } {
  const calls: Call[] = [];
  const commands = new Map<string, () => Promise<void>>();
  const record = (name: string) => (...values: unknown[]) => {
    calls.push([name, ...values]);
    return Promise.resolve(undefined);
  };
  const vscode = anything({
    commands: anything({
      registerCommand: (name: string, run: () => Promise<void>) => {
        commands.set(name, run);
        return { dispose: () => undefined };
      },
    }),
    window: anything({
      showWarningMessage: record("warning"),
      showInformationMessage: record("information"),
      showErrorMessage: record("error"),
      activeTextEditor: { document: { languageId: language } },
    }),
    workspace: anything({
      isTrusted: true,
      workspaceFolders: undefined,
      getConfiguration: () => ({ get: (key: string, otherwise: unknown) => (key === "server.path" ? "/no/such/meshc" : otherwise) }),
    }),
  });
  return { vscode, calls, commands };
}

async function activated(language: string): Promise<ReturnType<typeof editor>> {
  const running = editor(language);
  const loader = Module as unknown as { _load: (name: string, ...rest: unknown[]) => unknown };
  const load = loader._load;
  const bundle = join(__dirname, "..", "..", "dist", "extension.js");
  delete require.cache[bundle];
  loader._load = (name, ...rest) => (name === "vscode" ? running.vscode : load(name, ...rest));
  try {
    const extension = require(bundle) as { activate: (context: unknown) => Promise<void> };
    await extension.activate({ subscriptions: [] });
  } finally {
    loader._load = load;
  }
  return running;
}

test("without meshc the extension says so, and what works all the same", async () => {
  const { calls, commands } = await activated("mesh");
  assert.equal(calls.length, 1);
  assert.equal(calls[0]?.[0], "warning");
  assert.match(String(calls[0]?.[1]), /there is no meshc at \/no\/such\/meshc\. Highlighting works without it/);
  // Asked for the graph, it says so again.
  await commands.get("mesh.showGraph")?.();
  assert.deepEqual(calls.map(([name]) => name), ["warning", "warning"]);
});

test("the graph is that of a .mesh file", async () => {
  const { calls, commands } = await activated("json");
  await commands.get("mesh.showGraph")?.();
  assert.equal(calls.at(-1)?.[0], "information");
  assert.match(String(calls.at(-1)?.[1]), /open one first/);
});
