// The live tab in the browser: camera, one frame at a time to the server, and its answers drawn over the picture.
const QUALITY = 0.75; // of the JPEG that is sent
const SMOOTHING = 250; // ms: after this long, bars and map have gone two thirds of the way to a new answer
const SETTLED = 250; // ms that the server must say otherwise before another verdict is shown
const PATIENCE = 1500; // ms between attempts while the server does not answer
const QUICK = 150; // ms: where answers come sooner, the next frame is on its way while the last is answered
const LOST = 15000; // ms after which an answer is given up
const CAMERA = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24 } }; // more costs, and shows no more
const DRAWN = 160; // px, width in which the map is drawn; the page stretches it

const find = (selector) => element.querySelector(selector);
const video = find("video");
const canvas = find("canvas");
const frame = document.createElement("canvas"); // what is sent
const map = document.createElement("canvas"); // one pixel a place
let run = null; // of the camera: stream, and what was answered so far
let facing = "user";
let chosen = null; // a camera by its id, where cameras do not say which way they look

const say = (selector, code, values) => {
  const target = find(selector);
  target.hidden = !code;
  target.innerHTML = "";
  if (!code) return;
  const words = document.createElement("span");
  words.dataset.word = code;
  words.dataset.values = JSON.stringify(values || {});
  target.append(words);
  catdog.fill(target);
};

const start = async () => {
  stop();
  const mine = (run = { answers: [], waiting: [], took: Infinity, verdict: null, shown: null });
  say(".problem", null);
  if (!navigator.mediaDevices) return fail("insecure");
  try {
    const which = chosen ? { deviceId: { exact: chosen } } : { facingMode: facing };
    const stream = await navigator.mediaDevices.getUserMedia({ video: { ...CAMERA, ...which }, audio: false });
    if (run !== mine) return stream.getTracks().forEach((track) => track.stop()); // stopped while the visitor was asked
    mine.stream = stream;
    stream.getVideoTracks()[0].addEventListener("ended", () => run === mine && fail("unplugged"));
    video.srcObject = stream;
    await video.play();
  } catch (error) {
    if (run === mine) fail(catdog.camera.problem(error));
    return;
  }
  if (run !== mine) return;
  find(".stage").hidden = false;
  find(".empty").hidden = true;
  find("[name=start]").dataset.word = "live.stop";
  catdog.fill(element);
  cameras().then((all) => (find("[name=turn]").hidden = all.length < 2));
  watchFrames(mine);
  follow(mine);
  follow(mine, true);
};

const cameras = async () =>
  (await navigator.mediaDevices.enumerateDevices()).filter(({ kind }) => kind === "videoinput");

// The next camera of a computer, or the phone's on its other side.
const turn = async () => {
  const settings = run?.stream?.getVideoTracks()[0].getSettings();
  const ids = settings && !settings.facingMode ? (await cameras()).map(({ deviceId }) => deviceId) : [];
  if (ids.length > 1) {
    chosen = ids[(ids.indexOf(settings.deviceId) + 1) % ids.length];
  } else {
    facing = facing === "user" ? "environment" : "user";
    find("[name=mirror]").checked = facing === "user"; // a mirror is what one expects of one's own face only
    mirror();
  }
  if (run) start();
};

const stop = () => {
  run?.stream?.getTracks().forEach((track) => track.stop());
  run = null;
  video.srcObject = null;
  find(".stage").hidden = true;
  find(".empty").hidden = false;
  find("[name=start]").dataset.word = "live.start";
  forget();
  catdog.fill(element);
};

// What was said is true no longer.
const forget = () => {
  say(".said", null);
  say(".pace", null);
  for (const label of ["cat", "dog"]) {
    find(`.fill.${label}`).style.width = "0";
    find(`.number.${label}`).textContent = "";
  }
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
};

const fail = (problem) => {
  stop();
  say(".problem", `camera.${problem}`);
};

// Give each new frame of the camera to who waits for one, or remember that there is one.
const watchFrames = (mine) => {
  if (run !== mine) return;
  const next = mine.waiting.shift();
  mine.fresh = !next;
  next?.();
  video.requestVideoFrameCallback(() => watchFrames(mine));
};

const newFrame = (mine) => {
  if (!mine.fresh) return new Promise((resolve) => mine.waiting.push(resolve));
  mine.fresh = false;
};

// One request after another, always with the newest frame: those that come while the server works are dropped. A second
// follower, `spare`, has the network and the server work at the same time; where answers take long it would only have frames
// wait for each other, and rests.
const follow = async (mine, spare = false) => {
  while (run === mine) {
    if (spare && mine.took > QUICK) {
      await new Promise((resolve) => setTimeout(resolve, QUICK));
      continue;
    }
    await newFrame(mine);
    if (run !== mine) return;
    if (!element.offsetParent) return fail("hidden");
    const sent = performance.now();
    let answer;
    try {
      answer = await within(server.answer_frame(grab()), LOST);
      if (answer === undefined) throw new Error("no answer"); // Gradio swallows its own error of a request that failed
    } catch {
      if (run !== mine) return;
      mine.took = Infinity;
      mine.verdict = mine.shown = null;
      forget();
      say(".problem", "live.lost");
      await new Promise((resolve) => setTimeout(resolve, PATIENCE));
      continue;
    }
    if (run !== mine) return;
    mine.took = performance.now() - sent;
    say(".problem", answer.problem && `problem.${answer.problem}`);
    if (answer.problem) await new Promise((resolve) => setTimeout(resolve, PATIENCE));
    if (!answer.problem) setTimeout(() => run === mine && show(mine, answer, sent)); // while the server has the next frame
  }
};

const within = (promise, milliseconds) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no answer")), milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });

const grab = () => {
  const scale = Math.min(1, props.side / Math.min(video.videoWidth, video.videoHeight));
  frame.width = Math.round(video.videoWidth * scale);
  frame.height = Math.round(video.videoHeight * scale);
  frame.getContext("2d").drawImage(video, 0, 0, frame.width, frame.height);
  return frame.toDataURL("image/jpeg", QUALITY).split(",")[1];
};

const show = (mine, answer, sent) => {
  if (sent < mine.shown?.sent) return; // a later frame's answer was sooner
  const now = performance.now();
  const weight = mine.shown ? 1 - Math.exp(-(now - mine.shown.at) / SMOOTHING) : 1;
  const blend = (before, after) => before + weight * (after - before);
  const same = mine.shown && String(mine.shown.shape) === String(answer.shape);
  const shown = { at: now, sent, shape: answer.shape, view: answer.view, evidence: {} };
  for (const label of ["cat", "dog"]) {
    shown[label] = mine.shown ? blend(mine.shown[label], answer[label]) : answer[label];
    const before = mine.shown?.evidence[label];
    shown.evidence[label] = same ? answer.evidence[label].map((share, place) => blend(before[place], share)) : answer.evidence[label];
    find(`.fill.${label}`).style.width = `${(100 * shown[label]).toFixed(1)}%`;
    find(`.number.${label}`).textContent = catdog.percent(shown[label]);
  }
  mine.shown = shown;
  settle(mine, answer.verdict, now);
  draw(shown);
  const recent = mine.answers.filter((each) => now - each.at < 2000);
  mine.answers = [...(recent.length ? recent : mine.answers.slice(-1)), { at: now, took: now - sent }];
  pace(mine, now);
};

// A new verdict is shown once it has lasted: the camera's noise must not make the words flicker.
const settle = (mine, verdict, now) => {
  if (mine.verdict === verdict) mine.confirmed = now; // when the server last said what is shown
  if (now - mine.confirmed < SETTLED) return;
  mine.verdict = verdict;
  mine.confirmed = now;
  say(".said", `verdict.${verdict}`);
  find(".said span").className = `verdict ${verdict}`;
};

// As catdog/render.py draws it: opacity by the larger share, color by both; the browser enlarges the map smoothly.
const draw = ({ shape: [height, width], view: [left, top, right, bottom], evidence }) => {
  map.width = width;
  map.height = height;
  const pixels = new ImageData(width, height);
  for (let place = 0; place < height * width; place++) {
    const [cat, dog] = [evidence.cat[place], evidence.dog[place]];
    const total = Math.max(cat + dog, 1e-6);
    for (let channel = 0; channel < 3; channel++) {
      pixels.data[4 * place + channel] = (cat * props.colors.cat[channel] + dog * props.colors.dog[channel]) / total;
    }
    pixels.data[4 * place + 3] = 255 * props.strength * Math.max(cat, dog);
  }
  map.getContext("2d").putImageData(pixels, 0, 0);
  canvas.width = DRAWN;
  canvas.height = Math.round((DRAWN * video.videoHeight) / video.videoWidth);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(map, left * canvas.width, top * canvas.height, (right - left) * canvas.width, (bottom - top) * canvas.height);
};

const pace = (mine, now) => {
  if (now - (mine.paced || 0) < 500 || mine.answers.length < 2) return;
  mine.paced = now;
  const [first] = mine.answers;
  const perSecond = ((mine.answers.length - 1) * 1000) / (now - first.at);
  const took = mine.answers.map((each) => each.took).sort((a, b) => a - b)[mine.answers.length >> 1];
  say(".pace", "live.pace", { frames: perSecond.toFixed(perSecond < 3 ? 1 : 0), milliseconds: took.toFixed(0) });
};

const mirror = () => find(".stage").classList.toggle("mirrored", find("[name=mirror]").checked);

element.addEventListener("click", (event) => {
  const name = event.target.closest("button")?.name;
  if (name === "start") run ? stop() : start();
  if (name === "turn") turn();
});
element.addEventListener("change", mirror);

// Nobody looks: another browser tab, or another tab of this page.
document.addEventListener("visibilitychange", () => document.hidden && run && fail("hidden"));
new IntersectionObserver(() => run?.stream && !element.offsetParent && fail("hidden")).observe(element);

catdog.fill(element);
mirror();
stop();
