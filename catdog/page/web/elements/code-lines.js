/** The lines of the program that do what is shown above, folded away. */
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { controls } from "./controls.js";

/** @typedef {{file: string, line: number, text: string}} Lines */

/** @type {Promise<Record<string, Lines[]>> | null} fetched once, when the first is opened */
let known = null;

export class CodeLines extends Worded(LitElement) {
    static properties = { of: {}, lines: { state: true }, failed: { state: true } };

    static styles = [controls, css`
        :host { margin-top: var(--space-3); }
        figure { margin: var(--space-2) 0 var(--space-4); }
        figcaption { color: var(--ink-soft); font-size: var(--text-s); }
        pre { margin: var(--space-1) 0 0; padding: var(--space-3) var(--space-4); overflow-x: auto; border-radius: var(--radius); background: var(--sunken); font: var(--text-s) / 1.5 var(--mono); }
        .note { color: var(--ink-soft); }
    `];

    constructor() {
        super();
        /** Which part of the tab they belong to, as catdog/page/code.py has it. */
        this.of = "";
        /** @type {Lines[] | null} */
        this.lines = null;
        this.failed = false;
    }

    /** @param {Event} event */
    async #open({ target }) {
        if (!(/** @type {HTMLDetailsElement} */ (target).open) || this.lines) return;
        known ??= fetchCode();
        try {
            this.lines = (await known)[this.of];
            this.failed = false;
        } catch {
            known = null; // the next one that is opened tries again
            this.failed = true;
        }
    }

    render() {
        return html`<details class="fold" @toggle=${this.#open}><summary>${t("tour.code")}</summary>
            ${this.failed ? html`<p role="alert">${t("problem.offline")}</p>` : nothing}
            ${this.lines?.map(({ file, line, text }) => html`<figure><figcaption>${t("tour.code-at", { file, line })}</figcaption>
                <pre tabindex="0">${text.split("\n").map((each) => html`<span class=${/^\s*#/.test(each) ? "note" : ""}>${each}\n</span>`)}</pre></figure>`)}
        </details>`;
    }
}

async function fetchCode() {
    const response = await fetch("code.json");
    if (!response.ok) throw new Error(`code.json: ${response.status}`);
    return response.json();
}

customElements.define("code-lines", CodeLines);
