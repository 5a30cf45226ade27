// Prints what the TextMate grammar makes of files, for the test that holds all grammars against each other:
// for each file its runs of text, as [first byte, byte behind, innermost scope].
//
//     node test/scopes.mjs FILE …

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";

const require = createRequire(import.meta.url);
const grammarFile = new URL("../syntaxes/mesh.tmLanguage.json", import.meta.url);

await oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")));

const registry = new textmate.Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  }),
  loadGrammar: async () => textmate.parseRawGrammar(readFileSync(grammarFile, "utf8"), grammarFile.pathname),
});
const grammar = await registry.loadGrammar("source.mesh");

/** The runs of a text. */
function runs(text) {
  const found = [];
  let state = textmate.INITIAL;
  let lineStart = 0;
  for (const line of text.match(/.*(?:\r\n|\r|\n|$)/g) ?? []) {
    const { tokens, ruleStack } = grammar.tokenizeLine(line.replace(/[\r\n]+$/, ""), state);
    for (const { startIndex, endIndex, scopes } of tokens) {
      const start = lineStart + Buffer.byteLength(line.slice(0, startIndex));
      const end = lineStart + Buffer.byteLength(line.slice(0, endIndex));
      found.push([start, end, scopes.at(-1)]);
    }
    state = ruleStack;
    lineStart += Buffer.byteLength(line);
  }
  return found;
}

const files = process.argv.slice(2);
console.log(JSON.stringify(Object.fromEntries(files.map((file) => [file, runs(readFileSync(file, "utf8"))]))));
