// The photo tab's answer: puts the server's codes and numbers on the page, and redraws them when the visitor turns a knob.
// Runs once, as the component's js_on_load; `element`, `props`, `trigger` and `watch` are Gradio's.
const find = (selector) => element.querySelector(selector);
const canvas = find("canvas"), slider = find(".opacity input"), colors = find(".colors select");
const boxes = find(".boxes input"), finer = find(".finer input"), mark = find(".mark");
const { pairs, look, caveat } = props;
const say = catdog.say;
let shown = null; // what the canvas holds: the picture, and everything in the pixels of that picture
let turn = 0; // counts the answers, so that a slow one never covers a newer one
let asked = false; // for the finer map of this photo
const TOLD = 5000; // ms, for which an answer makes room for why there is no other picture
let without = null; // why Gradio's camera or the clipboard gives no picture
let point = null; // where the visitor points, in the picture's pixels

const choice = () => find(".choice input:checked").value;
const state = () => (without ? "problem" : props.value.state);
const problem = () => without || `problem.${props.value.code}`;
const pair = () => pairs[colors.selectedIndex];
const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
const colorNames = () => ({ cat: say(`color.${pair().cat.name}`), dog: say(`color.${pair().dog.name}`) });
const rgb = (color) => `rgb(${color.rgb.join(", ")})`;

const options = () => ({
  choice: choice(), opacity: slider.value / 100, boxes: boxes.checked, colors: [pair().cat.rgb, pair().dog.rgb],
});

let scheduled = false;
const redraw = () => {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    if (shown) catdog.evidence.paint(canvas, shown, options(), look);
  });
};

const wordSpot = () => {
  const values = point && catdog.evidence.spot(shown, ...point);
  mark.hidden = !point;
  if (!point) return say("photo.spot-none");
  mark.style.left = `${(100 * point[0]) / canvas.width}%`;
  mark.style.top = `${(100 * point[1]) / canvas.height}%`;
  if (!values) return say("photo.spot-unseen");
  const degree = (value) => {
    const share = value / shown.scale;
    return say(`degree.${share >= 0.5 ? "strongly" : share >= 0.1 ? "for" : share > -0.1 ? "hardly" : "against"}`);
  };
  const [cat, dog] = values;
  return say("photo.spot", { cat: degree(cat), dog: degree(dog), catValue: signed(cat), dogValue: signed(dog) });
};

const tellSpot = () => {
  find(".spot").textContent = wordSpot();
};

const tellSettings = () => {
  const value = props.value, names = colorNames(), now = choice();
  const style = element.style;
  style.setProperty("--cat-shown", rgb(pair().cat));
  style.setProperty("--dog-shown", rgb(pair().dog));
  style.setProperty("--strength", slider.value / 100);
  find(".opacity output").textContent = `${slider.value}%`;
  find(".legend").dataset.choice = now;
  find(".legend").hidden = now === "photo";
  find(".low").textContent = now === "difference" ? signed(value.scale) : "0";
  find(".middle").textContent = now === "difference" ? "0" : "";
  find(".high").textContent = now === "difference" ? signed(value.scale) : value.scale.toFixed(1);
  find(".unit").textContent = say(now === "difference" ? "photo.unit-difference" : "photo.unit");
  canvas.setAttribute("aria-label", `${say(`verdict.${value.prediction.verdict}`)}. ${say(`alt.${now}`, names)}`);
  find(".how-to-read").textContent = say("photo.how-to-read-text", names);
  find(".finer-note").hidden = !finer.checked || !value.finer;
};

// All words of the shown answer; again when the language changes.
const tell = () => {
  const value = props.value;
  for (const [index, { cat, dog }] of pairs.entries()) {
    colors.options[index].textContent = say("photo.pair", { cat: say(`color.${cat.name}`), dog: say(`color.${dog.name}`) });
  }
  find(".caveat").hidden = !caveat;
  if (caveat) find(".caveat").textContent = say(caveat);
  if (state() === "problem") find(".announce").textContent = find(".problem").textContent = say(problem());
  if (state() !== "answer") return;
  const { verdict, cat, dog } = value.prediction;
  find(".verdict").textContent = say(`verdict.${verdict}`);
  find(".verdict").className = `verdict ${verdict}`;
  const why = { both: "photo.why-both", neither: "photo.why-neither" }[verdict];
  find(".why").hidden = !why;
  if (why) find(".why").textContent = say(why, { percent: Math.round(100 * value.thresholds[verdict]) });
  for (const [label, probability] of Object.entries({ cat, dog })) {
    find(`.bar.${label} .fill`).style.width = `${100 * probability}%`;
    find(`.bar.${label} .percent`).textContent = catdog.percent(probability);
  }
  find(".announce").textContent = say("photo.announce", {
    verdict: say(`verdict.${verdict}`), cat: catdog.percent(cat), dog: catdog.percent(dog),
  });
  tellSettings();
  tellSpot();
};

const show = async () => {
  const value = props.value, mine = ++turn;
  for (const each of ["waiting", "problem", "answer"]) find(`.${each}`).hidden = state() !== each;
  if (state() !== "answer") {
    shown = null;
    tell();
    return;
  }
  const picture = new Image();
  picture.src = value.picture;
  await picture.decode();
  if (mine !== turn) return;
  const shrink = picture.naturalWidth / value.size[0];
  const scaled = (box) => box && box.map((side) => Math.round(side * shrink));
  find("figure").removeAttribute("aria-busy");
  if (!value.finer) asked = finer.checked = false;
  shown = {
    picture, scale: value.scale, view: scaled(value.view), evidence: finer.checked ? value.finer : value.evidence,
    boxes: { cat: scaled(value.boxes.cat), dog: scaled(value.boxes.dog) },
  };
  point = value.finer ? point : null;
  const [width, height] = value.size;
  find(".unseen").hidden = value.view.join() === [0, 0, width, height].join();
  tell();
  redraw();
};

const save = (url, extension) => {
  const link = document.createElement("a");
  link.href = url;
  link.download = `catdog-${props.value.prediction.verdict}.${extension}`;
  link.click();
};

const pointAt = (x, y) => {
  point = [Math.min(Math.max(x, 0), canvas.width - 1), Math.min(Math.max(y, 0), canvas.height - 1)];
  tellSpot();
};

// Gradio's buttons with the example photos have no names; it draws them some time after this runs, and again.
const nameExamples = () => {
  for (const [index, button] of document.querySelectorAll("#examples .gallery-item").entries()) {
    const name = say("photo.example", { number: index + 1 });
    if (button.ariaLabel !== name) button.setAttribute("aria-label", name);
  }
};
const watched = new MutationObserver(() => {
  const examples = document.querySelector("#examples");
  if (!examples) return;
  watched.disconnect();
  watched.observe(examples, { childList: true, subtree: true });
  nameExamples();
});
watched.observe(document.body, { childList: true, subtree: true });

for (const pair of pairs) colors.add(new Option(pair.cat.name));
for (const radio of element.querySelectorAll(".choice input")) radio.name = "evidence-choice";
slider.value = Math.round(100 * look.strength);
catdog.fill(element);

element.addEventListener("input", ({ target }) => {
  if (target === finer) {
    if (props.value.finer) show();
    else if (!asked) {
      asked = true;
      find("figure").setAttribute("aria-busy", "true");
      trigger("finer");
    }
    return;
  }
  tellSettings();
  redraw();
});

for (const event of ["pointermove", "pointerdown"]) {
  canvas.addEventListener(event, ({ clientX, clientY }) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    pointAt(((clientX - left) / width) * canvas.width, ((clientY - top) / height) * canvas.height);
  });
}
canvas.addEventListener("pointerleave", ({ pointerType }) => {
  if (pointerType !== "mouse") return; // a finger's last spot stays
  point = null;
  tellSpot();
});
canvas.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!step) return;
  event.preventDefault();
  const [left, top, right, bottom] = shown.view, map = shown.evidence[0];
  const [x, y] = point ?? [(left + right) / 2, (top + bottom) / 2];
  pointAt(x + (step[0] * (right - left)) / map[0].length, y + (step[1] * (bottom - top)) / map.length);
});

find(".downloads .picture").addEventListener("click", () => {
  catdog.evidence.paint(canvas, shown, options(), look);
  save(canvas.toDataURL("image/png"), "png");
});
find(".downloads .json").addEventListener("click", () => {
  const { prediction, evidence, bias, view, boxes, size } = props.value;
  const text = JSON.stringify({ prediction, evidence, bias, view, boxes, size }, null, 1);
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  save(url, "json");
  setTimeout(() => URL.revokeObjectURL(url), 10_000); // the download has begun by then
});

const setWithout = (code) => {
  if (code === without) return;
  without = code;
  show();
  if (code && props.value.state === "answer") setTimeout(() => without === code && setWithout(null), TOLD); // it is still true
};
watch("value", () => {
  without = null;
  show();
});
document.addEventListener("catdog-picture", ({ detail }) => {
  if (element.offsetParent) setWithout(detail); // or it is the live tab's camera
});
document.addEventListener("click", ({ target }) => {
  if (target.closest?.("#picture .source-selection")) setWithout(null); // before what comes of the click is told
}, true);
document.addEventListener("catdog-language", () => {
  tell();
  redraw();
  nameExamples();
});
show();
