// Show and order the photos by what the visitor chose; a click opens one in the photo tab. The server is not asked.
const ORDERS = {
  given: (first, second) => first.place - second.place,
  doubt: (first, second) => second.doubt - first.doubt || first.place - second.place,
  verdict: (first, second) => first.kind.localeCompare(second.kind) || first.place - second.place,
};
let places = new Map();

const number = () => {
  places = new Map([...element.querySelectorAll(".photos > li")].map((cell, place) => [cell, place]));
  catdog.fill(element);
};

const apply = () => {
  const kind = element.querySelector("[name=kind]").value;
  const order = element.querySelector("[name=order]").value;
  const doubtful = element.querySelector("[name=doubtful]");
  const least = doubtful.checked ? Number(doubtful.value) : 0;
  const cells = [...places].map(([cell, place]) => ({ cell, place, kind: cell.dataset.kind, doubt: Number(cell.dataset.doubt) }));
  cells.sort(ORDERS[order]);
  let shown = 0;
  for (const each of cells) {
    each.cell.hidden = (kind && each.kind !== kind) || each.doubt < least;
    shown += !each.cell.hidden;
  }
  element.querySelector(".photos").replaceChildren(...cells.map(({ cell }) => cell)); // the keyboard follows the order seen
  element.querySelector(".no-match").hidden = shown > 0;
};

element.addEventListener("change", apply);
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-index]");
  if (button) trigger("select", { index: Number(button.dataset.index) });
});
watch("value", number);
number();
