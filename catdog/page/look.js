// The fold "Look inside": asks the server for maps when it is opened, and shows what comes back. What comes back is one of
// several kinds of message, so the last of each kind is kept here, to word it again when the language changes.
const find = (selector) => element.querySelector(selector);
const all = (selector) => [...element.querySelectorAll(selector)];
const say = catdog.say;
const SLOW = ["ScoreCAM", "AblationCAM"];
const fold = find("details"), blockStage = find(".block-stage select"), stagesLabel = find("section .label select");
const wish = { method: find(".method select"), stage: find(".stage select"), label: find(".wish .label select") };
let stages = null, result = null; // messages
let asked = false; // for the stages of this photo
let waiting = false; // for them
let chosen = null; // label; without one the server takes the likelier
let photo = false; // whether there is one
let running = false; // a method
let stopping = false; // and the visitor wants it to end

const nameOf = (method) => props.methods.find(([code]) => code === method)[1];
const labelName = (label) => say(`label.${label}`);
const seconds = (value) => value.toFixed(value < 10 ? 1 : 0);
const stageAlt = (stage, label, method) => say("look.stage-alt", { stage, label: labelName(label), method: nameOf(method) });

const load = async (url) => {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  return picture;
};

const drawMap = async (canvas, message, map) => {
  const [picture, gray] = await Promise.all([load(message.picture), load(map)]);
  const shrink = picture.naturalWidth / message.size[0];
  const colors = ["cat", "dog"].map((label) => (label === message.label ? props.pairs[0][label].rgb : null));
  catdog.evidence.tint(canvas, picture, gray, message.view.map((side) => Math.round(side * shrink)), colors, props.look);
};

// Black is zero, white the most; what is negative is violet.
const drawBlock = () => {
  const block = stages.blocks[blockStage.value - 1];
  for (const [index, canvas] of all(".addition canvas").entries()) {
    const map = block.maps[index];
    canvas.width = map[0].length;
    canvas.height = map.length;
    const context = canvas.getContext("2d"), pixels = context.createImageData(canvas.width, canvas.height);
    for (const [place, value] of map.flat().entries()) {
      const share = Math.abs(value) / block.scale;
      pixels.data.set((value < 0 ? [150, 90, 255] : [255, 255, 255]).map((full) => full * share).concat(255), 4 * place);
    }
    context.putImageData(pixels, 0, 0);
  }
};

const tellBlock = () => {
  const { channel, channels, scale } = stages.blocks[blockStage.value - 1];
  const parts = ["look.block-input", "look.block-residual", "look.block-sum"];
  for (const [index, canvas] of all(".addition canvas").entries()) {
    canvas.setAttribute("aria-label", say("look.block-alt", { stage: blockStage.value, part: say(parts[index]) }));
  }
  find(".channel").textContent = say("look.channel", { channel: channel + 1, channels });
  find(".ramp .low").textContent = `−${scale.toFixed(1)}`;
  find(".ramp .high").textContent = `+${scale.toFixed(1)}`;
};

// All words; again when the language changes.
const tell = () => {
  for (const option of all(".label option")) option.textContent = labelName(option.value);
  for (const option of wish.method.options) {
    option.textContent = SLOW.includes(option.value) ? say("look.slow", { method: nameOf(option.value) }) : nameOf(option.value);
  }
  if (stages) {
    for (const [index, figure] of all(".stages figure").entries()) {
      figure.querySelector("figcaption").textContent = say("look.stage", { stage: props.stages[index] });
      figure.querySelector("canvas").setAttribute("aria-label", stageAlt(props.stages[index], stages.label, "LayerCAM"));
    }
    find(".took").textContent = say("look.took", { seconds: seconds(stages.seconds) });
    tellBlock();
  }
  find(".outcome").textContent = "";
  if (result?.kind === "stopped") find(".outcome").textContent = say("look.stopped");
  if (result?.kind === "method") {
    const { method, stage, label } = result;
    find(".outcome").textContent = say("look.outcome", {
      method: nameOf(method), stage, label: labelName(label), seconds: seconds(result.seconds),
    });
    find(".result canvas").setAttribute("aria-label", stageAlt(stage, label, method));
  }
  if (props.value.kind === "problem") find(".problem").textContent = say(`problem.${props.value.code}`);
};

const setRunning = (value) => {
  running = value;
  stopping = false;
  find(".start").disabled = running;
  find(".stop").hidden = find(".progress").hidden = !running;
};

const tellProgress = (share) => {
  find("progress").value = share;
  find(".progress output").textContent = `${Math.round(100 * share)}%`;
};

const ask = () => {
  if (!fold.open || asked || !photo) return;
  asked = waiting = true;
  find(".busy").hidden = false;
  trigger("stages", { label: chosen });
};

const askAnew = () => {
  asked = false;
  ask();
};

const receive = async () => {
  const message = props.value;
  if (message.wish && !(message.wish === "method" ? running : waiting)) return; // what failed is wished for no more
  if (message.kind === "fresh") {
    stages = result = chosen = null;
    photo = message.photo;
    asked = waiting = false;
    setRunning(false);
    ask();
  }
  if (message.kind === "problem") {
    asked = waiting = false;
    setRunning(false);
  }
  if (message.kind === "progress") {
    if (stopping) trigger("stop"); // the work had not begun when the visitor stopped it
    return tellProgress(message.share);
  }
  if (message.kind === "stages") {
    waiting = false;
    if (chosen && message.label !== chosen) return askAnew(); // the visitor has chosen the other label meanwhile
    stages = message;
    stagesLabel.value = message.label;
    if (!chosen) wish.label.value = message.label;
    await Promise.all(all(".stages canvas").map((canvas, index) => drawMap(canvas, message, message.maps[index])));
    drawBlock();
  }
  if (message.kind === "method" || message.kind === "stopped") {
    result = message;
    setRunning(false);
    if (message.kind === "method") await drawMap(find(".result canvas"), message, message.map);
  }
  find(".nothing").hidden = photo;
  find(".problem").hidden = message.kind !== "problem";
  find(".inside").hidden = !stages;
  find(".busy").hidden = Boolean(stages) || !asked || message.kind === "problem";
  find(".result").hidden = result?.kind !== "method";
  tell();
};

for (const [method] of props.methods) wish.method.add(new Option(method, method));
for (const stage of props.stages) {
  for (const select of [wish.stage, blockStage]) select.add(new Option(stage, stage));
  find(".stages").insertAdjacentHTML("beforeend", '<figure><canvas role="img"></canvas><figcaption></figcaption></figure>');
}
for (const select of [stagesLabel, wish.label]) for (const label of ["cat", "dog"]) select.add(new Option(label, label));
wish.stage.value = props.stages.at(-1);
blockStage.value = props.stages[1]; // fine enough to look at, coarse enough to send
catdog.fill(element);

fold.addEventListener("toggle", ask);
stagesLabel.addEventListener("change", () => {
  chosen = stagesLabel.value;
  if (!waiting) askAnew();
});
blockStage.addEventListener("change", () => {
  drawBlock();
  tellBlock();
});
find(".wish").addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) return;
  setRunning(true);
  tellProgress(0);
  trigger("method", { method: wish.method.value, stage: Number(wish.stage.value), label: wish.label.value });
});
find(".stop").addEventListener("click", () => {
  stopping = true;
  trigger("stop");
});
document.addEventListener("catdog-language", tell);
watch("value", receive);
receive();
