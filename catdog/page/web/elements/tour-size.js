/** What the network sees of a photo: as many pixels as it is given. With fewer, the answer holds for long, and then breaks. */
import { MEAN, STD, shapeOf } from "../engine/device/input.js";
import { engine } from "../engine/index.js";
import { sizeOf } from "../pictures.js";
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { Latest } from "./asking.js";
import { controls } from "./controls.js";
import "./feature-map.js";
import { logitsOf } from "./logits.js";
import "./verdict-panel.js";

/** @typedef {import("../engine/types.js").Explanation} Explanation */

const MOST = 2.65; // the largest number that comes of them
const CHANNELS = ["red", "green", "blue"];
const STRIDE = 32; // px of the input for one place of the last map

export class TourSize extends Worded(LitElement) {
    static properties = {
        file: { attribute: false },
        picture: { attribute: false },
        usual: { type: Number },
        size: { state: true },
        channels: { state: true },
        explanation: { state: true },
        problem: { state: true },
    };

    static styles = [controls, css`
        p { max-width: 65ch; }
        .beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: var(--space-4) var(--space-5); margin-top: var(--space-3); align-items: start; }
        canvas { width: 100%; max-height: 24rem; object-fit: contain; border-radius: var(--radius); background: var(--sunken); image-rendering: pixelated; }
        .channels { display: grid; grid-template-columns: repeat(3, 1fr); gap: var(--space-2); margin-top: var(--space-2); }
        figure { margin: 0; }
        .answer { display: grid; gap: var(--space-3); min-height: 8rem; transition: opacity var(--motion); }
        .old { opacity: 0.5; }
    `];

    #latest = new Latest();

    constructor() {
        super();
        /** @type {Blob | null} */
        this.file = null;
        /** @type {ImageBitmap | HTMLImageElement | null} */
        this.picture = null;
        /** px, at which photos are answered */
        this.usual = 0;
        this.size = 0;
        /** @type {number[][][]} red, green, blue, as the network gets them: rows of numbers */
        this.channels = [];
        /** @type {Explanation | null} at that size, or the one before */
        this.explanation = null;
        /** @type {string | null} */
        this.problem = null;
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        this.#latest.end();
    }

    /** @param {Map<string, unknown>} changed */
    willUpdate(changed) {
        if (!changed.has("file") || !this.file || !this.usual) return;
        this.size = this.usual;
        this.explanation = null;
        this.#ask();
    }

    #ask() {
        const { file, size } = this;
        if (!file) return;
        this.#latest.ask(
            (signal) => engine.explain(file, { size, signal }),
            (explanation) => Object.assign(this, { explanation, problem: null }),
            (problem) => { this.problem = problem; },
        );
    }

    /** @param {Event} event */
    #choose({ target }) {
        this.size = Number(/** @type {HTMLInputElement} */ (target).value);
        this.#ask();
    }

    render() {
        if (!this.picture || !this.size) return nothing;
        const [width, height] = this.#shape();
        const { explanation } = this;
        return html`
            <p>${t("tour.size-text", { usual: this.usual })}</p>
            <div class="beside">
                <div><canvas role="img" aria-label=${t("tour.size-alt", { width, height })}></canvas>
                    <div class="channels">${this.channels.map((values, place) => html`<figure><feature-map .values=${values} .scale=${MOST} name=${t(`tour.size-${CHANNELS[place]}`)}></feature-map>
                        <figcaption class="small soft">${t(`tour.size-${CHANNELS[place]}`)}</figcaption></figure>`)}</div></div>
                <div>
                    <label class="slider"><span class="number">${t("tour.size-slider", { width, height })}</span>
                        <input type="range" min=${STRIDE} max=${this.usual} step=${STRIDE} .value=${String(this.size)} @input=${this.#choose}></label>
                    ${this.problem ? html`<p role="alert">${t(`problem.${this.problem}`)}</p>` : nothing}
                    <div class="answer">${explanation
                        ? html`<verdict-panel compact .prediction=${explanation.prediction} .thresholds=${explanation.thresholds}></verdict-panel>${logitsOf(explanation.prediction)}
                            <p class="soft small number">${t("tour.size-places", { places: explanation.evidence.width * explanation.evidence.height })}</p>`
                        : nothing}</div>
                </div>
            </div>`;
    }

    /** Width and height in pixels, as the network gets it. @returns {[number, number]} */
    #shape() {
        const [height, width] = shapeOf(...sizeOf(/** @type {ImageBitmap} */ (this.picture)), this.size, "whole");
        return [width, height];
    }

    /** @param {Map<string, unknown>} changed */
    updated(changed) {
        if (!this.picture || !(changed.has("size") || changed.has("picture"))) return;
        const canvas = /** @type {HTMLCanvasElement | null} */ (this.renderRoot.querySelector("canvas"));
        if (!canvas) return;
        [canvas.width, canvas.height] = this.#shape();
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        context.imageSmoothingQuality = "high";
        context.drawImage(this.picture, 0, 0, canvas.width, canvas.height);
        this.channels = channelsOf(context.getImageData(0, 0, canvas.width, canvas.height));
    }
}

/** @param {ImageData} pixels @returns {number[][][]} red, green, blue, normalized: rows of numbers */
function channelsOf({ data, width, height }) {
    const value = (/** @type {number} */ channel, /** @type {number} */ place) => (data[4 * place + channel] / 255 - MEAN[channel]) / STD[channel];
    return CHANNELS.map((_, channel) =>
        Array.from({ length: height }, (_, row) => Array.from({ length: width }, (_, column) => value(channel, row * width + column))));
}

customElements.define("tour-size", TourSize);
