/** The tour's last two steps: what fools the network, and what a pet is recognized by. */
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { controls } from "./controls.js";

/** @typedef {import("../engine/types.js").Example} Example */

/** Examples that are hard, and which sentence says why. */
const FOOLS = { "hard-drawn-dog": "drawing", "hard-red-panda": "alike", "hard-kitten-and-dog": "small" };

/** Asks for an example by `example-chosen`. */
export class TourFools extends Worded(LitElement) {
    static properties = { examples: { attribute: false } };

    static styles = [controls, css`
        p { max-width: 65ch; }
        ul { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 14rem), 1fr)); gap: var(--space-3); margin: var(--space-3) 0 0; padding: 0; list-style: none; }
        button { display: grid; grid-template-columns: minmax(0, 6rem) minmax(0, 1fr); gap: var(--space-3); align-items: center; width: 100%; height: 100%; padding: var(--space-2); border: 1px solid var(--line); border-radius: var(--radius); background: var(--raised); color: inherit; font: inherit; font-size: var(--text-s); text-align: left; overflow-wrap: anywhere; cursor: pointer; }
        button:hover { border-color: var(--line-strong); }
        img { width: 100%; height: 4.5rem; object-fit: cover; border-radius: var(--radius-small); }
    `];

    constructor() {
        super();
        /** @type {readonly Example[]} */
        this.examples = [];
    }

    render() {
        const known = this.examples.filter(({ id }) => id in FOOLS);
        return html`<p>${t("tour.fools-text")}</p>
            <ul>${known.map((example) => html`<li><button type="button" @click=${() => this.#choose(example)}>
                <img src=${example.thumb} alt=${t("correct.try", { what: t(`photo.example-${example.id}`) })} width="96" height="72" loading="lazy">
                <span>${t(`correct.fool-${FOOLS[/** @type {keyof typeof FOOLS} */ (example.id)]}`)}</span></button></li>`)}</ul>`;
    }

    /** @param {Example} example */
    #choose(example) {
        this.dispatchEvent(new CustomEvent("example-chosen", { detail: { example }, bubbles: true, composed: true }));
    }
}

export class TourTeach extends Worded(LitElement) {
    static properties = { signature: { attribute: false } };

    static styles = [controls, css`
        p { max-width: 65ch; }
        canvas { display: block; width: min(100%, 46rem); height: 4rem; margin: var(--space-3) 0; border-radius: var(--radius-small); background: var(--sunken); image-rendering: pixelated; }
        a { margin-top: var(--space-1); }
    `];

    constructor() {
        super();
        /** @type {Float32Array | null} */
        this.signature = null;
    }

    render() {
        if (!this.signature) return nothing;
        const channels = this.signature.length;
        return html`<p>${t("tour.teach-text", { channels })}</p>
            <canvas role="img" aria-label=${t("tour.teach-alt", { channels })} width=${channels} height="48"></canvas>
            <a class="button" href="#pets">${t("tour.teach-go")}</a>`;
    }

    updated() {
        const canvas = this.renderRoot.querySelector("canvas"), context = canvas?.getContext("2d");
        if (!canvas || !context || !this.signature) return;
        const most = Math.max(...this.signature, 1e-6);
        context.clearRect(0, 0, canvas.width, canvas.height);
        context.fillStyle = getComputedStyle(this).color;
        this.signature.forEach((value, channel) => {
            const height = (value / most) * canvas.height;
            context.fillRect(channel, canvas.height - height, 1, height);
        });
    }
}

customElements.define("tour-fools", TourFools);
customElements.define("tour-teach", TourTeach);
