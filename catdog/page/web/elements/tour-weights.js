/** The same photo through the same network with other weights: what was learned, and what was not. */
import { engine } from "../engine/index.js";
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { Latest } from "./asking.js";
import "./cam-map.js";
import { controls } from "./controls.js";
import { logitsOf } from "./logits.js";
import { stretched } from "./stretched.js";

/** @typedef {import("../engine/types.js").Explanation} Explanation */

const WEIGHTS = /** @type {const} */ (["checkpoint", "imagenet", "shuffled"]);

export class TourWeights extends Worded(LitElement) {
    static properties = {
        file: { attribute: false },
        picture: { attribute: false },
        found: { state: true },
        problem: { state: true },
    };

    static styles = [controls, css`
        p { max-width: 65ch; }
        .maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 14rem), 1fr)); gap: var(--space-4); margin: var(--space-3) 0; }
        figure { margin: 0; }
        figcaption { margin-top: var(--space-2); line-height: 1.4; }
        .row { display: flex; min-height: var(--target); margin-top: var(--space-2); }
    `];

    #latest = new Latest();

    constructor() {
        super();
        /** @type {Blob | null} */
        this.file = null;
        /** @type {ImageBitmap | HTMLImageElement | null} */
        this.picture = null;
        /** @type {Record<typeof WEIGHTS[number], Explanation | null> | null} */
        this.found = null;
        /** @type {string | null} */
        this.problem = null;
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        this.#latest.end();
    }

    /** @param {Map<string, unknown>} changed */
    willUpdate(changed) {
        if (!changed.has("file") || !this.file) return;
        Object.assign(this, { found: null, problem: null });
        this.#ask();
    }

    #ask() {
        const { file } = this;
        if (!file) return;
        this.#latest.ask(
            (signal) => engine.inside("weights", file, { signal }),
            (found) => Object.assign(this, { found, problem: null }),
            (problem) => { this.problem = problem; },
        );
    }

    render() {
        const { found, picture } = this;
        if (this.problem) {
            return html`<p role="alert">${t(`problem.${this.problem}`)}</p><div class="row"><button class="button" @click=${this.#ask}>${t("inside.again")}</button></div>`;
        }
        if (!found?.checkpoint || !picture) return nothing;
        const { cat, dog } = found.checkpoint.prediction, label = cat >= dog ? "cat" : "dog";
        return html`
            <p>${t("tour.weights-text")}</p>
            <div class="maps">${WEIGHTS.filter((name) => found[name]).map((name) => this.#map(name, /** @type {Explanation} */ (found[name]), label))}</div>
            <p class="soft small">${t("tour.weights-stretched")}</p>`;
    }

    /**
     * @param {typeof WEIGHTS[number]} name
     * @param {Explanation} explanation
     * @param {"cat" | "dog"} label
     */
    #map(name, { evidence, view, size, prediction }, label) {
        return html`<figure>
            <cam-map .picture=${this.picture} .mapped=${{ values: stretched(evidence, label), label, view, size }}
                name=${t("tour.weights-alt", { weights: t(`tour.weights-${name}`), label: t(`view.label-${label}`) })}></cam-map>
            <figcaption><b>${t(`tour.weights-${name}`)}</b><br><span class="small soft">${t(`tour.weights-${name}-text`)}</span>
                ${logitsOf(prediction)}</figcaption></figure>`;
    }
}

customElements.define("tour-weights", TourWeights);
