/** The example photos, small, in a row: one click has one answered. */
import { Worded, t } from "../words.js";
import { LitElement, css, html, nothing, repeat } from "../vendor/lit.js";
import { controls } from "./controls.js";

/** @typedef {import("../engine/types.js").Example} Example */

const HEIGHT = 80; // px, of a small picture

/** Tells of a click by an `example-chosen` event with the `example`. */
export class ExampleStrip extends Worded(LitElement) {
    static properties = { examples: { attribute: false }, chosen: { attribute: false } };

    static styles = [controls, css`
        h2 { font-size: var(--text-s); font-weight: 550; color: var(--ink-soft); margin-bottom: var(--space-1); }
        ul {
            display: flex; gap: var(--space-2); min-height: 5.75rem; margin: 0 -0.25rem; padding: 0.25rem;
            overflow-x: auto; list-style: none; scrollbar-width: thin;
        }
        li { flex: none; }
        button {
            display: block; padding: 0; border: 0; border-radius: var(--radius-small); background: var(--sunken);
            cursor: pointer; overflow: hidden;
        }
        img { height: 5rem; width: auto; min-width: 3.5rem; object-fit: cover; transition: transform var(--motion); }
        button:hover img { transform: scale(1.05); }
        button[aria-pressed="true"] { outline: 2px solid var(--accent); outline-offset: 2px; }
        p { color: var(--ink-soft); font-size: var(--text-s); overflow-wrap: anywhere; }
        button:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
    `];

    constructor() {
        super();
        /** @type {readonly Example[]} */
        this.examples = [];
        /** @type {string | null} the id of the one that is shown */
        this.chosen = null;
    }

    render() {
        const shown = this.examples.find(({ id }) => id === this.chosen);
        return html`
            <h2 id="title">${t("photo.examples")}</h2>
            <ul aria-labelledby="title">${repeat(this.examples, (each) => each.id, (each) => this.#example(each))}</ul>
            ${shown ? html`<p>${t("photo.credit", shown)}</p>` : nothing}`;
    }

    /** @param {Example} example */
    #example(example) {
        const width = Math.round((HEIGHT * example.width) / example.height);
        return html`<li><button type="button" aria-pressed=${example.id === this.chosen} @click=${() => this.#choose(example)}>
            <img src=${example.thumb} alt=${exampleName(example)} width=${width} height=${HEIGHT} decoding="async">
        </button></li>`;
    }

    /** @param {Example} example */
    #choose(example) {
        this.dispatchEvent(new CustomEvent("example-chosen", { detail: { example }, bubbles: true, composed: true }));
    }
}

/** What it shows, in the visitor's language where the page has words for it. @param {Example} example */
export function exampleName(example) {
    const code = `photo.example-${example.id}`;
    const words = t(code);
    return words === code ? example.alt : words;
}

/** @param {Example} example @param {AbortSignal} [signal] */
export async function exampleFile(example, signal) {
    const response = await fetch(example.photo, { signal });
    if (!response.ok) throw new Error(`${example.photo}: ${response.status}`);
    const content = await response.blob();
    return new File([content], /** @type {string} */ (example.photo.split("/").pop()), { type: content.type });
}

customElements.define("example-strip", ExampleStrip);
