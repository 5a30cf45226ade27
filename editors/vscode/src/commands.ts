// What the language server leaves to the editor: to run a test, to show places, to explain a finding.
//
// In: the arguments of the server's commands. Out: what is run or shown. The server offers these commands to
// editors that say they know them.

/** A test is run with `meshc test`. */
export const RUN_TEST = "mesh.runTest";
/** Places are shown in the editor's own list. */
export const SHOW_REFERENCES = "mesh.showReferences";
/** The explanation of a finding is shown as a page. */
export const EXPLAIN = "mesh.explain";

/** The commands that the server may offer. */
export const COMMANDS: readonly string[] = [RUN_TEST, SHOW_REFERENCES, EXPLAIN];

/** The command of the language server that answers with the explanation of a code. */
export const EXPLANATION_COMMAND = "mesh.explanation";

/** A test of a mesh. */
export interface MeshTest {
  /** The directory or the file that the mesh is. */
  readonly mesh: string;
  /** What the test is called. */
  readonly test: string;
}

/** The arguments of `meshc` that run one test. */
export function testArguments({ mesh, test }: MeshTest): string[] {
  return ["test", "--filter", test, mesh];
}

/** The test that a code lens names. */
export function testOf(argument: unknown): MeshTest | undefined {
  if (typeof argument !== "object" || argument === null) {
    return undefined;
  }
  const { mesh, test } = argument as Partial<Record<keyof MeshTest, unknown>>;
  return typeof mesh === "string" && typeof test === "string" ? { mesh, test } : undefined;
}
