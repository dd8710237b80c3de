/** The network without some of its residual blocks: what a block adds, and what its shortcut is for, felt. */
import { engine } from "../engine/index.js";
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { Latest } from "./asking.js";
import { controls } from "./controls.js";
import "./evidence-view.js";
import { logitsOf } from "./logits.js";
import "./verdict-panel.js";

/** @typedef {import("../engine/types.js").Explanation & {depths: number[], changes: number[]}} Found */

const PARTS = /** @type {const} */ (["change", "shortcut"]);

export class TourBlocks extends Worded(LitElement) {
    static properties = {
        file: { attribute: false },
        picture: { attribute: false },
        off: { state: true },
        what: { state: true },
        found: { state: true },
        whole: { state: true },
        problem: { state: true },
    };

    static styles = [controls, css`
        :host { margin-top: var(--space-5); }
        h3 { margin-bottom: var(--space-2); }
        p { max-width: 65ch; }
        .beside { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: var(--space-4) var(--space-5); margin-top: var(--space-3); align-items: start; }
        evidence-view { --max-height: 26rem; }
        .blocks { display: flex; flex-wrap: wrap; gap: var(--space-2); margin: var(--space-3) 0; }
        .block {
            display: grid; gap: var(--space-1); justify-items: center; min-width: 3.25rem; min-height: var(--target); padding: var(--space-2);
            border: 1px solid var(--line-strong); border-radius: var(--radius-small); background: var(--raised); cursor: pointer; font-variant-numeric: tabular-nums;
        }
        .block[aria-pressed="false"] { border-style: dashed; background: none; color: var(--ink-soft); text-decoration: line-through; }
        .track { width: 2.25rem; height: 0.4rem; overflow: hidden; border-radius: 0.2rem; background: var(--line); }
        .fill { display: block; height: 100%; background: var(--ink); }
        .row { display: flex; flex-wrap: wrap; align-items: center; gap: var(--space-2); }
        @media (max-width: 44rem) { .beside { grid-template-columns: minmax(0, 1fr); } }
    `];

    #latest = new Latest();

    constructor() {
        super();
        /** @type {Blob | null} */
        this.file = null;
        /** @type {ImageBitmap | HTMLImageElement | null} */
        this.picture = null;
        /** The numbers of the blocks that are switched off. @type {ReadonlySet<number>} */
        this.off = new Set();
        /** @type {typeof PARTS[number]} what they are without */
        this.what = "change";
        /** @type {Found | null} the answer without them */
        this.found = null;
        /** @type {Found | null} the answer with all of them, whose changes are shown */
        this.whole = null;
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
        Object.assign(this, { off: new Set(), what: "change", found: null, whole: null });
        this.#ask();
    }

    #ask() {
        const { file, off, what } = this;
        if (!file) return;
        this.#latest.ask(
            (signal) => engine.inside("blocks", file, { off: [...off], part: what, signal }),
            (found) => Object.assign(this, { found, whole: this.whole ?? found, problem: null }),
            (problem) => { this.problem = problem; },
        );
    }

    /** @param {number} block */
    #toggle(block) {
        const off = new Set(this.off);
        if (!off.delete(block)) off.add(block);
        this.off = off;
        this.#ask();
    }

    /** @param {typeof PARTS[number]} part */
    #choose(part) {
        this.what = part;
        this.#ask();
    }

    render() {
        const { found, whole, picture } = this;
        if (!found || !whole || !picture) return this.problem ? html`<p role="alert">${t(`problem.${this.problem}`)}</p>` : nothing;
        return html`
            <h3>${t("tour.blocks")}</h3>
            <p>${t("tour.blocks-text")}</p>
            <div class="blocks">${this.#names(whole.depths).map(({ stage, block }, number) => this.#block(number, stage, block, whole.changes))}</div>
            <div class="row">
                <fieldset class="segments"><legend class="visually-hidden">${t("tour.blocks-part")}</legend>
                    ${PARTS.map((part) => html`<label><input type="radio" name="part" .checked=${part === this.what} @change=${() => this.#choose(part)}>
                        <span>${t(`tour.blocks-${part}`)}</span></label>`)}</fieldset>
                ${this.off.size ? html`<button class="button quiet" @click=${() => { Object.assign(this, { off: new Set(), what: "change" }); this.#ask(); }}>${t("tour.blocks-all")}</button>` : nothing}
            </div>
            <div class="beside">
                <evidence-view .picture=${picture} .explanation=${found} .boxes=${false}></evidence-view>
                <div><verdict-panel compact .prediction=${found.prediction} .thresholds=${found.thresholds}></verdict-panel>${logitsOf(found.prediction)}</div>
            </div>
            ${this.problem ? html`<p role="alert">${t(`problem.${this.problem}`)}</p>` : nothing}`;
    }

    /** Stage and place of each block. @param {number[]} depths */
    #names(depths) {
        return depths.flatMap((depth, stage) => Array.from({ length: depth }, (_, block) => ({ stage: stage + 1, block: block + 1 })));
    }

    /**
     * @param {number} number
     * @param {number} stage
     * @param {number} block
     * @param {number[]} changes
     */
    #block(number, stage, block, changes) {
        const percent = `${Math.round(100 * changes[number])}%`;
        return html`<button type="button" class="block" aria-pressed=${!this.off.has(number)} title=${t("tour.blocks-bar", { stage, block, percent })}
            aria-label=${t("tour.blocks-bar", { stage, block, percent })} @click=${() => this.#toggle(number)}>${stage}.${block}
            <span class="track"><span class="fill" .style=${`width: ${(100 * changes[number]) / Math.max(...changes)}%`}></span></span></button>`;
    }
}

customElements.define("tour-blocks", TourBlocks);
