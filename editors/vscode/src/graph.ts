// The graph of a mesh as a page in the editor.
//
// In: what meshc or its language server answered. Out: a page that may load nothing from elsewhere.

/** The command of the language server that answers with the graph. */
export const GRAPH_COMMAND = "mesh.graph";

/** The arguments of `meshc` that print the graph of a directory or a file. */
export function graphArguments(mesh: string): string[] {
  return ["graph", "--format", "html", mesh];
}

/** The page that the language server answered with: the text itself, or `{ html }`. */
export function pageOf(answer: unknown): string | undefined {
  const page =
    typeof answer === "object" && answer !== null && "html" in answer ? answer.html : answer;
  return typeof page === "string" && page.trim() !== "" ? page : undefined;
}

const POLICY =
  "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/** A page that loads nothing: what it needs has to stand in it. */
export function sealed(page: string): string {
  const policy = `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`;
  const head = /<head(?:\s[^>]*)?>/i.exec(page);
  if (head === null) {
    return `<!DOCTYPE html><html><head>${policy}</head><body>${page}</body></html>`;
  }
  const behind = head.index + head[0].length;
  return page.slice(0, behind) + policy + page.slice(behind);
}

/** A page that says why there is no graph. */
export function failurePage(reason: string): string {
  const escaped = reason.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return sealed(`<p>There is no graph:</p><pre>${escaped}</pre>`);
}
