import assert from "node:assert/strict";
import { test } from "node:test";
import { type Machine, expand, find, missing } from "../src/executable";

/** A machine with these files. */
function machine(files: string[], more: Partial<Machine> = {}): Machine {
  return {
    home: "/home/ada",
    workspaceFolder: "/home/ada/shop",
    environment: { PATH: "/usr/bin:/opt/mesh/bin" },
    platform: "linux",
    isExecutable: (file) => files.includes(file),
    ...more,
  };
}

test("a name is looked for on the PATH, in its order", () => {
  assert.equal(find("meshc", machine(["/opt/mesh/bin/meshc"])), "/opt/mesh/bin/meshc");
  assert.equal(find("meshc", machine(["/opt/mesh/bin/meshc", "/usr/bin/meshc"])), "/usr/bin/meshc");
  assert.equal(find("", machine(["/usr/bin/meshc"])), "/usr/bin/meshc");
  assert.equal(find("meshc", machine(["/elsewhere/meshc"])), undefined);
});

test("what cargo installed is found last", () => {
  assert.equal(find("meshc", machine(["/home/ada/.cargo/bin/meshc"])), "/home/ada/.cargo/bin/meshc");
  const environment = { PATH: "/usr/bin", CARGO_HOME: "/opt/cargo" };
  assert.equal(find("meshc", machine(["/opt/cargo/bin/meshc"], { environment })), "/opt/cargo/bin/meshc");
  assert.equal(
    find("meshc", machine(["/home/ada/.cargo/bin/meshc", "/usr/bin/meshc"])),
    "/usr/bin/meshc",
  );
});

test("a path is taken as it is, from the workspace if it is relative", () => {
  assert.equal(find("/x/meshc", machine(["/x/meshc", "/usr/bin/meshc"])), "/x/meshc");
  assert.equal(find("target/debug/meshc", machine(["/home/ada/shop/target/debug/meshc"])), "/home/ada/shop/target/debug/meshc");
  assert.equal(find("/x/meshc", machine(["/usr/bin/meshc"])), undefined);
});

test("what stands for other paths is filled in", () => {
  assert.equal(expand("~/bin/meshc", machine([])), "/home/ada/bin/meshc");
  assert.equal(expand("${userHome}/meshc", machine([])), "/home/ada/meshc");
  assert.equal(expand(" ${workspaceFolder}/meshc ", machine([])), "/home/ada/shop/meshc");
  assert.equal(expand("a~b", machine([])), "a~b");
  const outside = { ...machine([]), workspaceFolder: undefined };
  assert.equal(expand("${workspaceFolder}/meshc", outside), "${workspaceFolder}/meshc");
});

test("Windows has endings and other separators", () => {
  const windows = {
    home: "C:\\Users\\ada",
    environment: { Path: "C:\\mesh;C:\\Windows" },
    platform: "win32",
  } as const;
  assert.equal(find("meshc", machine(["C:\\mesh\\meshc.exe"], windows)), "C:\\mesh\\meshc.exe");
  assert.equal(find("D:\\meshc.exe", machine(["D:\\meshc.exe"], windows)), "D:\\meshc.exe");
});

test("a user is told what is missing, and what works without", () => {
  assert.match(missing("meshc"), /meshc is not on the PATH\. Highlighting works without it\.$/);
  assert.match(missing(" /x/meshc "), /there is no meshc at \/x\/meshc\./);
});
