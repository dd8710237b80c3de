/** Where an answer comes from: what each place says, as a number in its place, and how they add up to the probability. */
import { PAIRS } from "../evidence.js";
import { drawReduced } from "../pictures.js";
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { percent } from "../verdict.js";
import { Worded, t } from "../words.js";
import { signed, stepsOf } from "./adding-up.js";
import { controls } from "./controls.js";

/** @typedef {import("../engine/types.js").Explanation} Explanation */
/** @typedef {import("../engine/types.js").Label} Label */

const LABELS = /** @type {const} */ (["cat", "dog"]);
const SIDE = 720; // px, of the picture behind the numbers

export class TourSum extends Worded(LitElement) {
    static properties = {
        picture: { attribute: false },
        explanation: { attribute: false },
        calibration: { attribute: false },
        label: { state: true },
        left: { state: true },
        at: { state: true },
    };

    static styles = [controls, css`
        p { max-width: 65ch; }
        .beside { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: var(--space-4) var(--space-5); margin-top: var(--space-3); align-items: start; }
        .segments { margin-top: var(--space-3); }
        .stage { position: relative; overflow: hidden; border-radius: var(--radius); background: var(--sunken); container-type: inline-size; touch-action: manipulation; }
        .stage:focus-visible { outline-offset: -3px; }
        canvas { width: 100%; height: auto; opacity: 0.3; }
        .grid { position: absolute; display: grid; }
        .grid span {
            display: grid; place-items: center; min-width: 0; overflow: hidden; cursor: pointer; font-size: min(0.95rem, calc(100cqw / var(--columns) * 0.36)); line-height: 1;
            font-variant-numeric: tabular-nums; box-shadow: inset 0 0 0 0.5px color-mix(in srgb, var(--ink) 18%, transparent);
            background: rgb(var(--color) / var(--share));
        }
        .grid .left { background: none; color: var(--ink-soft); text-decoration: line-through; }
        .grid .at { box-shadow: inset 0 0 0 2px var(--focus); }
        table { width: 100%; border-collapse: collapse; }
        th { padding: var(--space-2) var(--space-3) var(--space-2) 0; text-align: left; font-weight: 400; overflow-wrap: anywhere; }
        td { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        tr.total th, tr.total td { border-top: 2px solid var(--ink); font-weight: 650; }
        .end td { font-size: var(--text-l); font-weight: 650; }
        .row { display: flex; min-height: var(--target); margin-top: var(--space-2); }
        @media (max-width: 44rem) { .beside { grid-template-columns: minmax(0, 1fr); } }
    `];

    constructor() {
        super();
        /** @type {ImageBitmap | HTMLImageElement | null} */
        this.picture = null;
        /** @type {Explanation | null} */
        this.explanation = null;
        /** @type {import("../engine/device/answer.js").Calibration | null} */
        this.calibration = null;
        /** @type {Label} */
        this.label = "cat";
        /** The places that are left out. @type {ReadonlySet<number>} */
        this.left = new Set();
        /** Where the arrow keys are. @type {number | null} */
        this.at = null;
    }

    /** @param {Map<string, unknown>} changed */
    willUpdate(changed) {
        if (!changed.has("explanation") || !this.explanation) return;
        const { cat, dog } = this.explanation.prediction;
        Object.assign(this, { label: cat >= dog ? "cat" : "dog", left: new Set(), at: null });
    }

    render() {
        const { explanation, calibration, label, left } = this;
        if (!explanation || !calibration || !this.picture) return nothing;
        const steps = stepsOf(explanation, label, calibration, left);
        const whole = stepsOf(explanation, label, calibration, new Set());
        return html`
            <p>${t("tour.sum-text")}</p>
            <fieldset class="segments"><legend class="visually-hidden">${t("tour.sum-label")}</legend>
                ${LABELS.map((each) => html`<label><input type="radio" name="of" .checked=${each === label} @change=${() => { this.label = each; }}>
                    <span>${t(`view.label-${each}`)}</span></label>`)}</fieldset>
            <div class="beside">
                <div class="stage" role="application" tabindex="0" aria-label=${t("tour.sum-grid", { label: t(`view.label-${label}`) })} @keydown=${this.#move}>
                    <canvas></canvas>${this.#grid(explanation, whole.places)}</div>
                <div>
                    <table>
                        <tr><th>${t("tour.sum-places", { places: whole.places.length - left.size })}</th><td class="sum">${signed(steps.sum)}</td></tr>
                        <tr><th>${t("view.number-bias")}</th><td>${signed(steps.bias)}</td></tr>
                        <tr class="total"><th>${t("view.number-logit")}</th><td class="logit">${signed(steps.logit)}</td></tr>
                        ${calibration.head === "sigmoid" ? this.#rest(steps) : nothing}
                    </table>
                    <div class="row">${left.size ? html`<button class="button" @click=${() => { this.left = new Set(); }}>${t("tour.sum-all")}</button>`
                        : html`<p class="soft small">${t("tour.sum-tap")}</p>`}</div>
                    <p class="visually-hidden" role="status">${this.#said(whole.places)}</p>
                </div>
            </div>`;
    }

    /** @param {import("./adding-up.js").Steps} steps */
    #rest({ top, temperature, offset, score, probability }) {
        return html`
            <tr><th>${t("tour.sum-top")}</th><td>${signed(top)}</td></tr>
            <tr><th>${t("tour.sum-calibrated", { temperature: temperature.toFixed(2), offset: signed(offset) })}</th><td class="score">${signed(score)}</td></tr>
            <tr class="total end"><th>${t("tour.sum-probability")}</th><td class="probability">${percent(probability)}</td></tr>`;
    }

    /** @param {Explanation} explanation @param {number[]} places */
    #grid({ evidence, view, size, scale }, places) {
        const { width: columns, height: rows } = evidence;
        const part = (/** @type {number} */ length, /** @type {number} */ whole) => `${(100 * length) / whole}%`;
        const at = `left: ${part(view[0], size[0])}; top: ${part(view[1], size[1])}; width: ${part(view[2] - view[0], size[0])}; height: ${part(view[3] - view[1], size[1])}`;
        const color = PAIRS[0][this.label].join(" ");
        return html`<div class="grid" aria-hidden="true" .style=${`${at}; --columns: ${columns}; --color: ${color}; grid-template: repeat(${rows}, 1fr) / repeat(${columns}, 1fr)`}>
            ${places.map((value, place) => html`<span class="${this.left.has(place) ? "left" : ""} ${place === this.at ? "at" : ""}"
                .style=${`--share: ${Math.min(0.85, Math.max(0, (value * places.length) / scale)).toFixed(3)}`} @click=${() => this.#toggle(place)}>${short(value)}</span>`)}
        </div>`;
    }

    /** @param {number} place */
    #toggle(place) {
        const left = new Set(this.left);
        if (!left.delete(place)) left.add(place);
        Object.assign(this, { left, at: place });
    }

    /** @param {KeyboardEvent} event */
    #move(event) {
        const { width, height } = /** @type {Explanation} */ (this.explanation).evidence;
        const { at } = this;
        if (at !== null && (event.key === "Enter" || event.key === " ")) {
            event.preventDefault();
            return this.#toggle(at);
        }
        const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
        if (!step) return;
        event.preventDefault();
        const clamped = (/** @type {number} */ value, /** @type {number} */ length) => Math.min(length - 1, Math.max(0, value));
        const [row, column] = at === null ? [height >> 1, width >> 1] : [Math.floor(at / width) + step[0], (at % width) + step[1]];
        this.at = clamped(row, height) * width + clamped(column, width);
    }

    /** What a screen reader is told of the place that the keys are at. @param {number[]} places */
    #said(places) {
        if (this.at === null) return "";
        return t(this.left.has(this.at) ? "tour.sum-left" : "tour.sum-place", { value: signed(places[this.at]) });
    }

    /** @param {Map<string, unknown>} changed */
    updated(changed) {
        if (!this.picture || !(changed.has("picture") || changed.has("explanation"))) return;
        const canvas = /** @type {HTMLCanvasElement | null} */ (this.renderRoot.querySelector("canvas"));
        if (canvas) drawReduced(canvas, this.picture, SIDE);
    }
}

/** In a place there is little room: .12 for 0.12. @param {number} value */
const short = (value) => (value === 0 ? "0" : `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(2).replace(/^0/, "")}`);

customElements.define("tour-sum", TourSum);
