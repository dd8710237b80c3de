// What Gradio says in English alone, in the visitor's language: its words make room for ours.
(() => {
  const TEXTS = [ // each the whole of a text, or its beginning
    [/^This application is currently busy\. Please try again\.$/, "page.busy"],
    [/^Invalid file types?: (?<names>.*)\. Only image\/\* allowed\.$/s, "gradio.no-image"],
    [/^File\(s\) exceed the maximum allowed size of (?<megabytes>\d+)\.\d Mb: (?<names>.*)$/s, "gradio.too-large"],
    [/^(Connection errored out\.|HTTP \d+:)/, "gradio.not-sent"],
    [/^Connection to the server was lost\./, "gradio.lost"],
    [/^Error$/, "gradio.error"],
    [/^Click to Access Webcam$/, "gradio.camera"],
    [/^common\.complete$/, "gradio.complete"], // a code of its own that it has no words for
  ];
  const NAMES = { // of its buttons
    "Fullscreen": "gradio.fullscreen",
    "Exit fullscreen mode": "gradio.no-fullscreen",
    "Remove Image": "gradio.remove",
    "Upload file": "gradio.upload",
    "Capture from camera": "gradio.capture",
    "Paste from clipboard": "gradio.paste",
    "grant webcam access": "gradio.camera",
    "capture photo": "gradio.take",
    "select input source": "gradio.cameras",
    "select source": "gradio.cameras",
    "More tabs": "gradio.more-tabs",
    "Close": "gradio.close",
  };
  const NAMED = Object.keys(NAMES).flatMap((name) => [`[aria-label="${name}"]`, `[title="${name}"]`]).join();
  const QUEUE = /^queue: (\d+)\/(\d+) \|$/;
  const PROCESSING = "processing |";

  const textsIn = (element) => [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);

  // Put an element with our words in the place of a text, if we have some for it.
  const reword = (text, replace) => {
    for (const [pattern, code] of TEXTS) {
      const found = pattern.exec(text.trim());
      if (!found) continue;
      const ours = document.createElement("span");
      ours.dataset.word = code;
      ours.dataset.values = JSON.stringify(found.groups || {});
      replace(ours);
      return catdog.fill(ours.parentElement);
    }
  };
  const rewordAll = (element) => {
    if (!element.querySelector("[data-word]")) reword(element.textContent, (ours) => element.replaceChildren(ours));
  };
  const rewordTexts = (element) => {
    for (const text of textsIn(element)) reword(text.data, (ours) => text.replaceWith(ours));
  };

  // Gradio names some of its buttons anew when their meaning changes. What has our name already is left alone: it may be the
  // same in English, and to set it would be a change that is seen here again.
  const rename = (element) => {
    const label = NAMES[element.ariaLabel], title = NAMES[element.title];
    if ((label || "") === (element.dataset.wordLabel || "") && (title || "") === (element.dataset.wordTitle || "")) return;
    if (label) element.dataset.wordLabel = label;
    if (title) element.dataset.wordTitle = title;
    catdog.fill(element.parentElement);
  };

  // The place in the queue changes all the time: Gradio's text stays, to be changed again.
  const wordQueue = (text) => {
    const place = QUEUE.exec(text.data);
    if (place) text.data = catdog.say("page.queue", { place: place[1], waiting: place[2] });
    if (text.data === PROCESSING) text.data = catdog.say("page.processing");
  };

  // Its words on a place for files follow no change of language either.
  const wordDrop = (place) => {
    if (place.querySelector("[data-word]")) return;
    const text = document.createElement("span");
    text.dataset.word = "many.drop";
    place.replaceChildren(place.firstElementChild, text);
    catdog.fill(place);
  };

  new MutationObserver(() => {
    document.querySelectorAll("[data-testid=toast-text]").forEach(rewordAll); // in which a server's words may be HTML
    document.querySelectorAll(".toast-title").forEach(rewordTexts); // beside their number
    document.querySelectorAll("#picture .wrap").forEach(rewordTexts); // beside a camera
    document.querySelectorAll(".sr-only[role=status]").forEach(rewordTexts);
    document.querySelectorAll(NAMED).forEach(rename);
    for (const element of document.querySelectorAll(".meta-text, .meta-text-center")) textsIn(element).forEach(wordQueue);
    document.querySelectorAll("#many-files [data-testid=upload-text]").forEach(wordDrop);
  }).observe(document.documentElement, {
    childList: true, characterData: true, subtree: true, attributeFilter: ["aria-label", "title"],
  });
})();
