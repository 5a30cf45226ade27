// The extension: starts `meshc lsp`, does what that leaves to the editor, and shows the graph of a mesh beside its
// text.
//
// Whatever it knows about policies it asks meshc for. Without meshc it says so once; highlighting and
// snippets need nobody.

import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname } from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";
import {
  ExecuteCommandRequest,
  LanguageClient,
  type LanguageClientOptions,
  type Location,
  type Position,
  type ServerOptions,
  type StaticFeature,
} from "vscode-languageclient/node";
import { COMMANDS, EXPLAIN, EXPLANATION_COMMAND, RUN_TEST, SHOW_REFERENCES, testArguments, testOf } from "./commands";
import { type Machine, find, missing } from "./executable";
import { GRAPH_COMMAND, failurePage, graphArguments, pageOf, sealed } from "./graph";

const LANGUAGE = "mesh";

let client: LanguageClient | undefined;
let graph: Graph | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  context.subscriptions.push(
    vscode.commands.registerCommand("mesh.showGraph", showGraph),
    vscode.commands.registerCommand("mesh.restartServer", restart),
    vscode.commands.registerCommand(RUN_TEST, runTest),
    vscode.commands.registerCommand(SHOW_REFERENCES, showReferences),
    vscode.commands.registerCommand(EXPLAIN, explain),
    vscode.workspace.registerTextDocumentContentProvider(EXPLANATIONS, { provideTextDocumentContent: explanation }),
    vscode.workspace.onDidSaveTextDocument((document) => {
      if (document.languageId === LANGUAGE) {
        void graph?.refresh();
      }
    }),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("mesh.server")) {
        void restart();
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void start()),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await stop();
}

// ── The language server ──

async function start(): Promise<void> {
  if (client !== undefined || !vscode.workspace.isTrusted) {
    return;
  }
  const command = executable();
  if (command === undefined) {
    void sayMissing();
    return;
  }
  const server: ServerOptions = { command, args: ["lsp", ...settings().get<string[]>("server.arguments", [])] };
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: "file", language: LANGUAGE },
      { scheme: "untitled", language: LANGUAGE },
    ],
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.mesh") },
  };
  client = new LanguageClient(LANGUAGE, "meshc", server, options);
  client.registerFeature(knownCommands);
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    void vscode.window.showErrorMessage(`meshc did not start: ${reasonOf(error)}`);
  }
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  await running?.dispose();
}

async function restart(): Promise<void> {
  await stop();
  await start();
}

/** Tells the server which of its commands this extension carries out. */
const knownCommands: StaticFeature = {
  fillClientCapabilities: (capabilities) => {
    const experimental: unknown = capabilities.experimental;
    capabilities.experimental = {
      ...(typeof experimental === "object" ? experimental : {}),
      commands: { commands: COMMANDS },
    };
  },
  initialize: () => undefined,
  getState: () => ({ kind: "static" }),
  clear: () => undefined,
};

// ── What the server leaves to the editor ──

/** The scheme of the pages that explain findings. */
const EXPLANATIONS = "mesh-explanation";

async function runTest(argument: unknown): Promise<void> {
  const test = testOf(argument);
  const command = executable();
  if (test === undefined || command === undefined) {
    return;
  }
  const run = new vscode.ProcessExecution(command, testArguments(test));
  const task = new vscode.Task({ type: LANGUAGE, test: test.test }, vscode.TaskScope.Workspace, test.test, "meshc", run);
  task.presentationOptions = { clear: true, reveal: vscode.TaskRevealKind.Always };
  await vscode.tasks.executeTask(task);
}

async function showReferences(uri: string, position: Position, locations: Location[]): Promise<void> {
  const converter = client?.protocol2CodeConverter;
  if (converter === undefined) {
    return;
  }
  await vscode.commands.executeCommand(
    "editor.action.showReferences",
    converter.asUri(uri),
    converter.asPosition(position),
    locations.map((location) => converter.asLocation(location)),
  );
}

async function explain(code: string): Promise<void> {
  const page = vscode.Uri.from({ scheme: EXPLANATIONS, path: `${code}.md` });
  await vscode.commands.executeCommand("markdown.showPreviewToSide", page);
}

async function explanation(page: vscode.Uri): Promise<string> {
  const code = page.path.replace(/\.md$/, "");
  const answer: unknown = await client?.sendRequest(ExecuteCommandRequest.type, {
    command: EXPLANATION_COMMAND,
    arguments: [code],
  });
  return typeof answer === "string" ? answer : `meshc has nothing to say about ${code}.`;
}

// ── meshc ──

function settings(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration("mesh");
}

function executable(): string | undefined {
  return find(settings().get("server.path", "meshc"), machine());
}

function machine(): Machine {
  return {
    home: homedir(),
    workspaceFolder: vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
    environment: process.env,
    platform: process.platform,
    isExecutable: (file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    },
  };
}

async function sayMissing(): Promise<void> {
  const open = "Open Settings";
  const text = missing(settings().get("server.path", "meshc"));
  if ((await vscode.window.showWarningMessage(text, open)) === open) {
    await vscode.commands.executeCommand("workbench.action.openSettings", "mesh.server.path");
  }
}

// ── The graph ──

/** The graph of one mesh, in a panel beside the text. */
class Graph {
  private constructor(
    readonly document: vscode.Uri,
    private readonly panel: vscode.WebviewPanel,
  ) {}

  static open(document: vscode.Uri): Graph {
    const panel = vscode.window.createWebviewPanel(
      "mesh.graph",
      "Mesh",
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      { enableScripts: true, localResourceRoots: [], retainContextWhenHidden: true },
    );
    const opened = new Graph(document, panel);
    panel.onDidDispose(() => {
      if (graph === opened) {
        graph = undefined;
      }
    });
    return opened;
  }

  reveal(): void {
    this.panel.reveal(undefined, true);
  }

  close(): void {
    this.panel.dispose();
  }

  async refresh(): Promise<void> {
    let page: string;
    try {
      page = sealed(await graphPage(this.document));
    } catch (error) {
      page = failurePage(reasonOf(error));
    }
    this.panel.webview.html = page;
  }
}

async function showGraph(): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId !== LANGUAGE) {
    void vscode.window.showInformationMessage("The graph is that of the .mesh file at hand: open one first.");
    return;
  }
  if (client === undefined && executable() === undefined) {
    await sayMissing();
    return;
  }
  if (graph?.document.toString() !== document.uri.toString()) {
    graph?.close();
    graph = Graph.open(document.uri);
  }
  graph?.reveal();
  await graph?.refresh();
}

/** The page with the graph of the mesh that a file belongs to: from the server, or from meshc itself. */
async function graphPage(document: vscode.Uri): Promise<string> {
  const provided = client?.initializeResult?.capabilities.executeCommandProvider?.commands;
  if (client !== undefined && provided?.includes(GRAPH_COMMAND) === true) {
    const answer: unknown = await client.sendRequest(ExecuteCommandRequest.type, {
      command: GRAPH_COMMAND,
      arguments: [document.toString()],
    });
    const page = pageOf(answer);
    if (page !== undefined) {
      return page;
    }
  }
  const command = executable();
  if (command === undefined) {
    throw new Error(missing(settings().get("server.path", "meshc")));
  }
  const folder = vscode.workspace.getWorkspaceFolder(document)?.uri.fsPath;
  const mesh = dirname(document.fsPath);
  const { stdout } = await promisify(execFile)(command, graphArguments(mesh), {
    cwd: folder ?? mesh,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** What went wrong, in the words of meshc where it had some. */
function reasonOf(error: unknown): string {
  if (error instanceof Error) {
    const said = "stderr" in error && typeof error.stderr === "string" ? error.stderr.trim() : "";
    return said === "" ? error.message : said;
  }
  return String(error);
}
