// Which `meshc` is run.
//
// In: what the settings say, and what is known of the machine. Out: a path to start, or nothing.

import * as path from "node:path";

/** What is known of the machine. */
export interface Machine {
  readonly home: string;
  readonly workspaceFolder: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Whether a file is there and may be run. */
  readonly isExecutable: (file: string) => boolean;
}

/** A path of the settings with what stands for other paths filled in. */
export function expand(setting: string, machine: Machine): string {
  const { home, workspaceFolder } = machine;
  const expanded = setting
    .trim()
    .replace(/^~(?=$|[\\/])/, home)
    .replace(/\$\{userHome\}/g, home);
  return workspaceFolder === undefined
    ? expanded
    : expanded.replace(/\$\{workspaceFolder\}/g, workspaceFolder);
}

/** The file that the setting means, if it is there. */
export function find(setting: string, machine: Machine): string | undefined {
  const wanted = expand(setting, machine) || "meshc";
  return candidates(wanted, machine).find(machine.isExecutable);
}

function candidates(wanted: string, machine: Machine): string[] {
  const { environment, home, platform, workspaceFolder } = machine;
  const paths = platform === "win32" ? path.win32 : path.posix;
  const names =
    platform === "win32" && paths.extname(wanted) === "" ? [`${wanted}.exe`, wanted] : [wanted];
  if (wanted !== paths.basename(wanted)) {
    return names.map((name) => paths.resolve(workspaceFolder ?? home, name));
  }
  const searched = environment["PATH"] ?? environment["Path"] ?? "";
  // An editor that was not started from a shell may not know where cargo installs to.
  const installed = paths.join(environment["CARGO_HOME"] ?? paths.join(home, ".cargo"), "bin");
  const folders = [...searched.split(paths.delimiter).filter((it) => it !== ""), installed];
  return folders.flatMap((folder) => names.map((name) => paths.join(folder, name)));
}

/** What a user is told whose `meshc` is not there. */
export function missing(setting: string): string {
  const place =
    setting.trim() === "" || setting.trim() === "meshc"
      ? "meshc is not on the PATH"
      : `there is no meshc at ${setting.trim()}`;
  return `Findings, completion and the graph need meshc, and ${place}. Highlighting works without it.`;
}
