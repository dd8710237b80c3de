/** Which places of a photo make it like one of the visitor's pets: shares that add up to how alike it is. */
import { engine } from "../engine/index.js";
import { mine } from "../pets/mine.js";
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { Latest } from "./asking.js";
import "./cam-map.js";
import { controls } from "./controls.js";
import { stretched } from "./stretched.js";

/** @typedef {import("../engine/types.js").Maps} Maps */

export class PetPlaces extends Worded(LitElement) {
    static properties = {
        file: { attribute: false },
        picture: { attribute: false },
        found: { attribute: false },
        shown: { state: true },
        problem: { state: true },
    };

    static styles = [controls, css`
        :host { display: block; margin-top: var(--space-2); }
        cam-map { width: min(100%, 20rem); margin: var(--space-2) 0; }
        p { font-size: var(--text-s); color: var(--ink-soft); overflow-wrap: anywhere; }
    `];

    #latest = new Latest();

    constructor() {
        super();
        /** @type {Blob | null} */
        this.file = null;
        /** @type {ImageBitmap | HTMLImageElement | null} */
        this.picture = null;
        /** @type {import("../pets/pets.js").Recognition | null} */
        this.found = null;
        /** @type {{maps: Maps, size: [number, number], view: import("../engine/types.js").Box, sum: number} | null} */
        this.shown = null;
        /** @type {string | null} */
        this.problem = null;
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        this.#latest.end();
    }

    /** @param {Map<string, unknown>} changed */
    willUpdate(changed) {
        if (changed.has("file") || changed.has("found")) {
            this.#latest.end();
            Object.assign(this, { shown: null, problem: null });
        }
    }

    #ask() {
        const { file, found } = this;
        if (!file || !found) return;
        this.#latest.ask(
            (signal) => engine.inside("features", file, { signal }),
            (answer) => {
                const values = mine.pets?.places(found, answer);
                if (!values) return;
                const { height, width } = answer.evidence, none = new Float32Array(values.length);
                const maps = { height, width, cat: none, dog: none, [found.label]: values };
                const sum = values.reduce((/** @type {number} */ total, /** @type {number} */ value) => total + value, 0);
                Object.assign(this, { shown: { maps, size: answer.size, view: answer.view, sum }, problem: null });
            },
            (problem) => { this.problem = problem; },
        );
    }

    render() {
        const { found, shown, picture } = this;
        if (!found || !picture) return nothing;
        const { name, label } = found;
        if (this.problem) return html`<p role="alert">${t(`problem.${this.problem}`)}</p>`;
        if (!shown) return html`<button type="button" class="button quiet" @click=${this.#ask}>${t("pets.where", { name })}</button>`;
        const numbers = { name, likeness: shown.sum.toFixed(2), line: found.threshold.toFixed(2) };
        return html`<cam-map .picture=${picture} .mapped=${{ values: stretched(shown.maps, label), label, view: shown.view, size: shown.size }}
                name=${t("pets.where-alt", { name })}></cam-map>
            <p role="status">${t(found.threshold < 0 ? "pets.where-no-line" : "pets.where-text", numbers)}</p>`;
    }
}

customElements.define("pet-places", PetPlaces);
