// The page's words, in the visitor's language: the one chosen here before, or else the browser's.
// Gradio's own words follow; and where its settings change the language, ours follow that.
window.catdog = (() => {
  const words = WORDS_BY_LANGUAGE;
  const KEPT = "catdog-language";
  const GRADIO_NAMES = { en: "en", zh: "zh-CN" };

  // zh, zh-HK and zh-Hans-CN are Chinese; what we have no words for is English.
  const known = (tag) => (/^zh\b/i.test(tag || "") ? "zh" : "en");

  const kept = () => {
    try {
      return localStorage.getItem(KEPT);
    } catch {
      return null; // storage is forbidden: the choice lasts as long as the page
    }
  };

  let language = known(kept() || navigator.language);

  const say = (code, values = {}) => {
    const found = words[language][code];
    if (found === undefined) throw new Error(`There is no word for ${code}.`);
    return found.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  };

  // Rounded towards doubt, as catdog.metrics.percent does.
  const percent = (probability) => {
    if (probability > 0.99) return say("percent.over");
    if (probability < 0.01) return say("percent.under");
    const exact = Number((100 * probability).toFixed(6));
    return say("percent.exact", { percent: exact > 50 ? Math.floor(exact) : Math.ceil(exact) });
  };

  const ATTRIBUTES = { wordLabel: "aria-label", wordAlt: "alt", wordTitle: "title" };
  const WORDED = "[data-word], [data-percent], [data-word-label], [data-word-alt], [data-word-title]";

  const fill = (root) => {
    for (const element of root.querySelectorAll(WORDED)) {
      const values = JSON.parse(element.dataset.values || "{}");
      if (element.dataset.word) element.textContent = say(element.dataset.word, values);
      if (element.dataset.percent) element.textContent = percent(Number(element.dataset.percent));
      for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
        if (element.dataset[name]) element.setAttribute(attribute, say(element.dataset[name], values));
      }
    }
  };

  // Gradio keeps this function's name when it is built, but not the file's: the file is found among those it loaded.
  const tellGradio = async () => {
    const core = performance.getEntriesByType("resource").find(({ name }) => /\/assets\/core-[^/]+\.js$/.test(name));
    if (core) (await import(core.name)).changeLocale(GRADIO_NAMES[language]);
  };

  // Gradio rewords the tabs that have been opened, and no others.
  const TABS = ["photo.tab", "live.tab", "many.tab", "good.tab"];

  const wordTabs = () => {
    let reworded = false;
    for (const button of document.querySelectorAll(".tab-container button, .overflow-dropdown button")) {
      for (const text of button.childNodes) {
        const code = TABS.find((code) => Object.values(words).some((each) => each[code] === text.data?.trim()));
        if (!code || text.data.trim() === say(code)) continue;
        text.data = say(code);
        reworded = true;
      }
    }
    if (reworded) window.dispatchEvent(new Event("resize")); // Gradio measures again which tabs have room
  };

  const wordTitle = () => {
    if (document.title !== say("page.title")) document.title = say("page.title"); // Gradio's is the English one
  };

  const changed = () => {
    fill(document);
    wordTitle();
    wordTabs();
    document.dispatchEvent(new Event("catdog-language"));
  };

  const choose = (chosen) => {
    language = known(chosen);
    try {
      localStorage.setItem(KEPT, language);
    } catch {
      // as above
    }
    changed();
    tellGradio();
  };

  if (known(document.documentElement.lang) !== language) tellGradio();
  new MutationObserver(() => {
    const named = known(document.documentElement.lang);
    if (named === language) return;
    language = named;
    changed();
  }).observe(document.documentElement, { attributeFilter: ["lang"] });

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#language")) choose(language === "en" ? "zh" : "en");
  });

  new MutationObserver(() => {
    wordTitle();
    wordTabs();
  }).observe(document.documentElement, { childList: true, characterData: true, subtree: true });

  return { say, percent, fill, choose, language: () => language };
})();
