// Points out what belongs together: around the node under the pointer, around the one clicked, or what is searched for.
const picture = document.querySelector("svg.mesh");
const nodes = [...picture.querySelectorAll(".node")];
const edges = [...picture.querySelectorAll(".edge[data-from]")];
const search = document.querySelector("input");
let kept = null;

function show(chosen) {
  const ids = new Set(chosen.map((node) => node.id));
  const near = new Set(ids);
  for (const edge of edges) {
    const { from, to } = edge.dataset;
    const on = ids.has(from) || ids.has(to);
    edge.classList.toggle("on", on);
    if (on) near.add(from).add(to);
  }
  for (const node of nodes) node.classList.toggle("on", near.has(node.id));
  picture.classList.toggle("some", chosen.length > 0);
}

function found() {
  const text = search.value.trim().toLowerCase();
  if (text === "") return [];
  return nodes.filter((node) => written(node).toLowerCase().includes(text));
}

// What can be read of a node; what is said when the pointer rests on it names others, too.
function written(node) {
  return [...node.querySelectorAll("text")].map((text) => text.textContent).join(" ");
}

function rest() {
  const wanted = found();
  show(wanted.length > 0 ? wanted : kept ? [kept] : []);
  picture.classList.toggle("some", wanted.length > 0 || kept !== null || search.value.trim() !== "");
}

for (const node of nodes) {
  node.addEventListener("pointerenter", () => show([node]));
  node.addEventListener("pointerleave", rest);
  node.addEventListener("click", (event) => {
    event.stopPropagation();
    kept = kept === node ? null : node;
    rest();
  });
}
picture.addEventListener("click", () => { kept = null; rest(); });
search.addEventListener("input", () => {
  rest();
  found()[0]?.scrollIntoView({ block: "center", inline: "center", behavior: "smooth" });
});
