/** Before the first photo: one finished example plays quietly, its evidence fading in. */
import { engine } from "../engine/index.js";
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { controls } from "./controls.js";
import { draw } from "./asking.js";
import "./evidence-view.js";
import "./verdict-panel.js";

/**
 * @typedef {import("../engine/types.js").Example} Example
 * @typedef {import("../engine/types.js").Explanation} Explanation
 */

const EXAMPLE = "both-side-by-side"; // both colors are seen in it
const FADE = 1600; // ms
const PAUSE = 900; // ms, in which the photo alone is seen
const FULL = 0.75; // opacity

/** Asks about its example once the page is at rest, and not on a slow line; it ends when it is taken from the page. */
export class DemoStage extends Worded(LitElement) {
    static properties = {
        examples: { attribute: false },
        picture: { state: true },
        explanation: { state: true },
        opacity: { state: true },
    };

    static styles = [controls, css`
        figure { display: grid; gap: var(--space-3); }
        .frame { display: grid; align-items: center; min-height: var(--demo-height, 16rem); }
        evidence-view { --max-height: var(--demo-height, 60vh); }
        figcaption { min-height: 6.5rem; opacity: 0; transition: opacity calc(3 * var(--motion)); }
        figcaption.there { opacity: 1; }
        figcaption p { margin-bottom: var(--space-1); color: var(--ink-soft); font-size: var(--text-s); }
    `];

    #ended = new AbortController();
    #begun = false;

    constructor() {
        super();
        /** @type {readonly Example[]} */
        this.examples = [];
        /** @type {ImageBitmap | HTMLImageElement | null} */
        this.picture = null;
        /** @type {Explanation | null} */
        this.explanation = null;
        this.opacity = 0;
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        this.#ended.abort();
    }

    updated() {
        const example = this.examples.find(({ id }) => id === EXAMPLE);
        if (!example || this.#begun || slow()) return;
        this.#begun = true;
        whenIdle(() => this.#play(example).catch(() => null)); // without it the page is as useful
    }

    render() {
        return html`<figure>
            <div class="frame">
                <evidence-view .picture=${this.picture} .explanation=${this.explanation} .opacity=${this.opacity}
                    .boxes=${this.opacity === FULL}></evidence-view>
            </div>
            <figcaption class=${this.opacity ? "there" : ""}>
                ${this.explanation ? html`<p>${t("photo.demo")}</p>
                    <verdict-panel compact .prediction=${this.explanation.prediction} .thresholds=${this.explanation.thresholds}></verdict-panel>` : nothing}
            </figcaption>
        </figure>`;
    }

    /** @param {Example} example */
    async #play({ photo }) {
        const { signal } = this.#ended;
        const response = await fetch(photo, { signal });
        const file = await response.blob();
        const explanation = await engine.explain(file, { signal });
        this.picture = await draw(file, explanation, signal);
        this.explanation = explanation;
        await this.#fade();
    }

    async #fade() {
        const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
        const start = performance.now() + PAUSE;
        for (let share = still ? 1 : 0; ; share = Math.min(1, Math.max(0, (performance.now() - start) / FADE))) {
            this.opacity = FULL * share * share * (3 - 2 * share);
            if (share === 1 || !this.isConnected) return;
            await new Promise(requestAnimationFrame);
        }
    }
}

/** Whether the line is too slow for a photo that nobody asked for. */
function slow() {
    const { connection } = /** @type {any} */ (navigator);
    return Boolean(connection?.saveData || /2g|3g/.test(connection?.effectiveType ?? ""));
}

/** @param {() => void} act */
function whenIdle(act) {
    if ("requestIdleCallback" in window) requestIdleCallback(act, { timeout: 2000 });
    else setTimeout(act, 200);
}

customElements.define("demo-stage", DemoStage);
