// The page's words, by code, in the visitor's language.

/** @typedef {"en" | "zh"} Language */

/** @type {Record<Language, string>} */
const LANGUAGE_TAGS = { en: "en", zh: "zh-CN" };
const REMEMBERED = "catdog.language";

/** @type {Record<string, string>} */
let words = {};
/** @type {Language} */
let current = "en";
/** @type {Set<() => void>} */
const listeners = new Set();

/**
 * The words of a code. Without a language loaded, as in tests of other modules, it is the code itself.
 * @param {string} code such as "app.photo"
 * @param {Record<string, string | number>} [values] for the places in braces
 */
export function t(code, values = {}) {
    const text = words[code] ?? code;
    return text.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
}

/** @returns {Language} */
export function language() {
    return current;
}

/** The language tag that `Intl` and `lang` attributes want. */
export function languageTag() {
    return LANGUAGE_TAGS[current];
}

/**
 * The language that this visitor chose before, or reads.
 * @param {string | null} remembered
 * @param {readonly string[]} readers the browser's languages, best first
 * @returns {Language}
 */
export function preferred(remembered, readers) {
    if (remembered === "en" || remembered === "zh") return remembered;
    for (const tag of readers) {
        const [name] = tag.toLowerCase().split("-");
        if (name === "en" || name === "zh") return name;
    }
    return "en";
}

/** Loads the visitor's language; called once, before anything is drawn. */
export async function startLanguage() {
    await load(preferred(remembered(), navigator.languages));
}

/**
 * Changes the language of everything on the page, and remembers it.
 * @param {Language} name
 */
export async function setLanguage(name) {
    await load(name);
    try {
        localStorage.setItem(REMEMBERED, name);
    } catch {
        // storage refused: the choice holds for this visit
    }
    for (const listener of listeners) listener();
}

/**
 * @param {() => void} listener called after each change of language
 * @returns {() => void} ends that
 */
export function onLanguage(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

/**
 * The code of a sentence about one or about several.
 * @param {string} code
 * @param {number} count
 */
export const numbered = (code, count) => (count === 1 ? `${code}-one` : code);

/**
 * A mixin for elements that show words: they are drawn anew when the language changes.
 * @template {new (...args: any[]) => import("./vendor/lit.js").LitElement} Base
 * @param {Base} base
 */
export function Worded(base) {
    return class extends base {
        /** @type {(() => void) | null} */
        #end = null;

        connectedCallback() {
            super.connectedCallback();
            this.#end = onLanguage(() => this.requestUpdate());
        }

        disconnectedCallback() {
            super.disconnectedCallback();
            this.#end?.();
        }
    };
}

function remembered() {
    try {
        return localStorage.getItem(REMEMBERED);
    } catch {
        return null;
    }
}

/** @param {Language} name */
async function load(name) {
    const response = await fetch(new URL(`./words/${name}.json`, import.meta.url));
    if (!response.ok) throw new Error(`words/${name}.json: ${response.status}`);
    words = await response.json();
    current = name;
    document.documentElement.lang = languageTag();
}
