/** The photo's way through the network as one strip: stem, stages, places, sum, probability; and what a place has seen. */
import { drawMap } from "../drawing.js";
import { STRENGTH } from "../evidence.js";
import { drawReduced } from "../pictures.js";
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { percent } from "../verdict.js";
import { Worded, t } from "../words.js";
import { signed, stepsOf } from "./adding-up.js";
import { controls } from "./controls.js";
import { pathTo, seenBy } from "./fields.js";

/** @typedef {import("../engine/types.js").Channel} Channel */
/** @typedef {import("../engine/types.js").Explanation} Explanation */
/** @typedef {import("../engine/types.js").Layer} Layer */
/** @typedef {import("./fields.js").Area} Area */

const ACROSS = 3; // channels beside each other
const SIDE = 560; // px, of the photo
const THUMB = 144; // px, of the photo in the strip

export class TourStrip extends Worded(LitElement) {
    static properties = {
        picture: { attribute: false },
        explanation: { attribute: false },
        calibration: { attribute: false },
        layers: { attribute: false },
        layer: { state: true },
        tile: { state: true },
        at: { state: true },
    };

    static styles = [controls, css`
        :host { --gap: var(--space-2); }
        p { max-width: 65ch; }
        .strip { display: flex; gap: var(--gap); margin: var(--space-3) 0; padding: 0.25rem 0.25rem var(--space-2); overflow-x: auto; list-style: none; scrollbar-width: thin; }
        .strip > li { flex: none; width: 7.1rem; }
        .strip > li.number { width: auto; min-width: 5rem; }
        .strip b { display: block; margin-bottom: var(--space-1); }
        .strip b + .soft { display: block; margin: calc(-1 * var(--space-1)) 0 var(--space-1); }
        .strip canvas { display: block; width: 100%; height: auto; border-radius: var(--radius-small); image-rendering: pixelated; }
        .mosaic { display: grid; grid-template-columns: repeat(3, 1fr); gap: 2px; }
        .mosaic button { position: relative; padding: 0; border: 0; border-radius: 3px; overflow: hidden; background: var(--sunken); cursor: pointer; }
        .mosaic button[aria-pressed="true"] { outline: 3px solid var(--focus); outline-offset: -1px; z-index: 1; }
        .mosaic canvas { border-radius: 0; }
        .one { position: relative; }
        .path, .seen, .cell { position: absolute; pointer-events: none; border-radius: 1px; box-shadow: 0 0 0 1.5px white, 0 0 0 3px rgb(0 0 0 / 0.8); }
        .big { font-size: var(--text-l); font-weight: 650; font-variant-numeric: tabular-nums; }
        .beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); gap: var(--space-4); align-items: start; max-width: 46rem; }
        figure { margin: 0; }
        figcaption { margin-top: var(--space-2); line-height: 1.4; }
        .large { position: relative; border-radius: var(--radius); overflow: hidden; background: var(--sunken); }
        .large canvas { display: block; width: 100%; height: auto; image-rendering: pixelated; }
        .large.photo canvas { image-rendering: auto; }
        .large[role="application"] { cursor: crosshair; touch-action: pan-y; }
        @media (max-width: 44rem) { .strip > li { width: 6.4rem; } }
        .large:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
    `];

    constructor() {
        super();
        /** @type {ImageBitmap | HTMLImageElement | null} */
        this.picture = null;
        /** @type {Explanation | null} */
        this.explanation = null;
        /** @type {import("../engine/device/answer.js").Calibration | null} */
        this.calibration = null;
        /** @type {import("../engine/types.js").Layers | null} */
        this.layers = null;
        /** Which one is looked at. */
        this.layer = 2;
        /** Which of the channels that it shows. */
        this.tile = 0;
        /** Where in it. @type {{row: number, column: number}} */
        this.at = { row: 0, column: 0 };
    }

    /** @param {Map<string, unknown>} changed */
    willUpdate(changed) {
        if (changed.has("layers") && this.layers) this.#choose(Math.min(this.layer, this.layers.layers.length - 1), 0);
    }

    /** @param {number} layer @param {number} tile */
    #choose(layer, tile) {
        const { layers } = /** @type {import("../engine/types.js").Layers} */ (this.layers);
        const { shown, width } = layers[layer];
        const peak = shown[tile].values.indexOf(255);
        Object.assign(this, { layer, tile, at: { row: Math.max(0, Math.floor(peak / width)), column: Math.max(0, peak % width) } });
    }

    render() {
        const { layers: answer, explanation, calibration, picture } = this;
        if (!answer || !explanation || !calibration || !picture) return nothing;
        const { prediction, evidence } = explanation;
        const label = prediction.cat >= prediction.dog ? "cat" : "dog";
        const steps = stepsOf(explanation, label, calibration, new Set());
        const last = answer.layers[answer.layers.length - 1];
        return html`
            <p>${t("tour.strip-text")}</p>
            <ol class="strip" tabindex="0" aria-label=${t("tour.strip")}>
                <li><b>${t("tour.strip-photo")}</b><span class="soft small">${size(answer.layers[0].width * answer.layers[0].stride, answer.layers[0].height * answer.layers[0].stride, 3)}</span>
                    <div class="one"><canvas class="thumb"></canvas>${frame("seen", this.#seen())}</div></li>
                ${answer.layers.map((layer, index) => this.#layer(layer, index))}
                <li><b>${t("tour.strip-places")}</b><span class="soft small">${size(evidence.width, evidence.height, 2)}</span>
                    <div class="one"><canvas class="places" role="img" aria-label=${t("tour.strip-places-alt", { label: t(`view.label-${label}`) })}></canvas>
                        ${frame("path", share(pathTo(answer.layers[this.layer], this.at, last), last))}</div></li>
                <li class="number"><b>${t("view.number-logit")}</b><span class="big">${signed(steps.logit)}</span><br><span class="soft small">${t(`view.label-${label}`)}</span></li>
                <li class="number"><b>${t("tour.sum-probability")}</b><span class="big">${percent(steps.probability)}</span></li>
            </ol>
            ${this.#closeUp(answer.layers[this.layer])}`;
    }

    /** @param {Layer} layer @param {number} index */
    #layer(layer, index) {
        const path = share(pathTo(this.#grid(), this.at, layer), layer);
        return html`<li><b>${nameOf(layer)}</b><span class="soft small">${size(layer.width, layer.height, layer.channels)}</span>
            <div class="mosaic" role="group" aria-label=${nameOf(layer)} @keydown=${this.#walk}>${layer.shown.map(({ channel }, tile) => html`<button type="button" aria-pressed=${index === this.layer && tile === this.tile} tabindex=${tile === (index === this.layer ? this.tile : 0) ? 0 : -1}
                aria-label=${t("tour.strip-tile", { channel: channel + 1, layer: nameOf(layer) })} @click=${() => this.#choose(index, tile)}>
                <canvas data-layer=${index} data-tile=${tile}></canvas>${frame("path", path)}</button>`)}</div></li>`;
    }

    /** From channel to channel by the arrow keys. @param {KeyboardEvent} event */
    #walk(event) {
        const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -ACROSS, ArrowDown: ACROSS }[event.key];
        const tiles = /** @type {HTMLElement[]} */ ([.../** @type {Element} */ (event.currentTarget).children]);
        const next = step && tiles[tiles.indexOf(/** @type {HTMLElement} */ (event.target)) + step];
        if (!next) return;
        event.preventDefault();
        next.focus();
    }

    /** The layer that is looked at. */
    #grid() {
        return /** @type {import("../engine/types.js").Layers} */ (this.layers).layers[this.layer];
    }

    /** The part of the photo that the place sees, in shares of it. */
    #seen() {
        const { view, size: [width, height] } = /** @type {import("../engine/types.js").Layers} */ (this.layers);
        const grid = this.#grid(), { top, left, bottom, right } = seenBy(grid, this.at);
        const across = (view[2] - view[0]) / (grid.width * grid.stride), down = (view[3] - view[1]) / (grid.height * grid.stride);
        const x = (/** @type {number} */ pixel) => (view[0] + pixel * across) / width, y = (/** @type {number} */ pixel) => (view[1] + pixel * down) / height;
        return { top: y(top), left: x(left), bottom: y(bottom), right: x(right) };
    }

    /** @param {Layer} layer */
    #closeUp(layer) {
        const { channel } = layer.shown[this.tile], { row, column } = this.at;
        const cell = share({ top: row, left: column, bottom: row + 1, right: column + 1 }, layer);
        return html`<div class="beside">
            <figure><div class="large" role="application" tabindex="0" aria-label=${t("tour.strip-grid")} @keydown=${this.#move} @pointerdown=${this.#point} @pointermove=${this.#point}>
                <canvas class="channel"></canvas>${frame("cell", cell)}</div>
                <figcaption><b>${t("tour.strip-tile", { channel: channel + 1, layer: nameOf(layer) })}</b><br>
                    <span class="small number" role="status">${t("tour.strip-at", { row: row + 1, column: column + 1, value: this.#value(layer) })}</span></figcaption></figure>
            <figure><div class="large photo"><canvas class="whole" role="img" aria-label=${t("tour.strip-seen-alt")}></canvas>${frame("seen", this.#seen())}</div>
                <figcaption class="small">${this.#sight(layer)}</figcaption></figure>
        </div>`;
    }

    /** @param {Layer} layer */
    #value({ shown, width }) {
        const { peak, values } = shown[this.tile];
        return ((values[this.at.row * width + this.at.column] / 255) * peak).toFixed(2);
    }

    /** @param {Layer} layer */
    #sight({ field, stride, height, width }) {
        const most = { height: height * stride, width: width * stride };
        return field > Math.max(most.height, most.width) ? t("tour.strip-all", { field, ...most }) : t("tour.strip-field", { field, ...most });
    }

    /** @param {PointerEvent} event */
    #point(event) {
        if (!event.buttons) return; // it only passes
        const { left, top, width, height } = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
        this.#goTo(Math.floor(((event.clientY - top) / height) * this.#grid().height), Math.floor(((event.clientX - left) / width) * this.#grid().width));
    }

    /** @param {KeyboardEvent} event */
    #move(event) {
        const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
        if (!step) return;
        event.preventDefault();
        this.#goTo(this.at.row + step[0], this.at.column + step[1]);
    }

    /** @param {number} row @param {number} column */
    #goTo(row, column) {
        const { height, width } = this.#grid();
        const at = { row: Math.min(height - 1, Math.max(0, row)), column: Math.min(width - 1, Math.max(0, column)) };
        if (at.row !== this.at.row || at.column !== this.at.column) this.at = at;
    }

    /** @param {Map<string, unknown>} changed */
    updated(changed) {
        const { layers: answer, explanation, picture } = this;
        if (!answer || !explanation || !picture) return;
        const anew = changed.has("layers") || changed.has("picture") || changed.has("explanation");
        if (anew) {
            for (const canvas of this.#all("canvas[data-tile]")) {
                const layer = answer.layers[Number(canvas.dataset.layer)];
                drawChannel(canvas, layer, layer.shown[Number(canvas.dataset.tile)]);
            }
            for (const [name, side] of /** @type {const} */ ([["thumb", THUMB], ["whole", SIDE]])) this.#all(`.${name}`).forEach((canvas) => drawReduced(canvas, picture, side));
            const label = explanation.prediction.cat >= explanation.prediction.dog ? "cat" : "dog";
            this.#all(".places").forEach((canvas) => drawMap(canvas, explanation, { show: label, boxes: false, opacity: STRENGTH, colors: 0 }));
        }
        if (anew || changed.has("layer") || changed.has("tile")) {
            const layer = this.#grid();
            this.#all(".channel").forEach((canvas) => drawChannel(canvas, layer, layer.shown[this.tile]));
        }
    }

    /** @param {string} selector */
    #all(selector) {
        return /** @type {HTMLCanvasElement[]} */ ([...this.renderRoot.querySelectorAll(selector)]);
    }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Layer} layer
 * @param {Channel} channel
 */
function drawChannel(canvas, { width, height }, { values }) {
    Object.assign(canvas, { width, height });
    const pixels = new ImageData(width, height);
    values.forEach((value, place) => pixels.data.set([value, value, value, 255], 4 * place));
    canvas.getContext("2d")?.putImageData(pixels, 0, 0);
}

/** @param {Area} area in places @param {{height: number, width: number}} grid @returns {Area} in shares of it */
const share = ({ top, left, bottom, right }, { height, width }) => ({ top: top / height, left: left / width, bottom: bottom / height, right: right / width });

/** @param {string} name @param {Area} area in shares */
function frame(name, { top, left, bottom, right }) {
    const part = (/** @type {number} */ value) => `${(100 * value).toFixed(3)}%`;
    return html`<span class=${name} .style=${`top: ${part(top)}; left: ${part(left)}; height: ${part(bottom - top)}; width: ${part(right - left)}`}></span>`;
}

/** @param {Layer} layer */
const nameOf = ({ name }) => (name === "stem" ? t("tour.strip-stem") : t("inside.stage", { stage: name.slice(-1) }));

/** @param {number} width @param {number} height @param {number} channels */
const size = (width, height, channels) => `${width}×${height}×${channels}`;

customElements.define("tour-strip", TourStrip);
