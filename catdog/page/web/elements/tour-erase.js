/** Paint over a part of a photo, and see what is left of the answer: whether the map said rightly what it rests on. */
import { engine } from "../engine/index.js";
import { boxOfPlace } from "../evidence.js";
import { drawReduced, sizeOf } from "../pictures.js";
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { Latest } from "./asking.js";
import { controls } from "./controls.js";
import "./evidence-view.js";
import { logitsOf } from "./logits.js";
import "./verdict-panel.js";

/** @typedef {import("../engine/types.js").Explanation} Explanation */

const SIDE = 900; // px, long side of what is painted on
const BRUSH = 0.11; // of the shorter side
const PLACES = 1.5; // places wide and high, that the button covers
const COARSE = 24; // px that become one where it is blurred
const WAYS = /** @type {const} */ (["gray", "blur"]);

export class TourErase extends Worded(LitElement) {
    static properties = {
        picture: { attribute: false },
        explanation: { attribute: false },
        way: { state: true },
        painted: { state: true },
        now: { state: true },
        problem: { state: true },
        busy: { state: true },
    };

    static styles = [controls, css`
        p { max-width: 65ch; }
        .beside { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: var(--space-4) var(--space-5); margin-top: var(--space-3); align-items: start; }
        .stage { position: relative; display: grid; justify-items: center; }
        .stage > * { grid-area: 1 / 1; }
        evidence-view { --max-height: 26rem; width: 100%; }
        .paint { --width: min(100%, 26rem * var(--ratio)); width: var(--width); aspect-ratio: var(--ratio); border-radius: var(--radius); touch-action: none; cursor: crosshair; z-index: 1; }
        .answer { display: grid; gap: var(--space-3); transition: opacity var(--motion); }
        .busy { opacity: 0.6; }
        .row { display: flex; flex-wrap: wrap; gap: var(--space-2); margin-top: var(--space-3); }
        @media (max-width: 44rem) { .beside { grid-template-columns: minmax(0, 1fr); } }
    `];

    #latest = new Latest();
    /** @type {HTMLCanvasElement | null} the photo with what was painted */
    #canvas = null;
    /** @type {{x: number, y: number} | null} where the pointer is, while it paints */
    #last = null;

    constructor() {
        super();
        /** @type {ImageBitmap | HTMLImageElement | null} */
        this.picture = null;
        /** @type {Explanation | null} of the photo itself */
        this.explanation = null;
        /** @type {typeof WAYS[number]} */
        this.way = "gray";
        /** @type {HTMLCanvasElement | null} what is shown, once something was painted */
        this.painted = null;
        /** @type {Explanation | null} of that */
        this.now = null;
        /** @type {string | null} */
        this.problem = null;
        this.busy = false;
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        this.#latest.end();
    }

    /** @param {Map<string, unknown>} changed */
    willUpdate(changed) {
        if (changed.has("explanation") || changed.has("picture")) this.#startOver();
    }

    #startOver() {
        this.#latest.end();
        this.#canvas = null;
        Object.assign(this, { painted: null, now: null, problem: null, busy: false });
        this.#clear();
    }

    #clear() {
        const paint = /** @type {HTMLCanvasElement | null} */ (this.renderRoot?.querySelector(".paint"));
        paint?.getContext("2d")?.clearRect(0, 0, paint.width, paint.height);
    }

    /** The photo, to be painted on. */
    #ground() {
        if (this.#canvas) return this.#canvas;
        const picture = /** @type {ImageBitmap} */ (this.picture);
        this.#canvas = document.createElement("canvas");
        drawReduced(this.#canvas, picture, SIDE);
        return this.#canvas;
    }

    /**
     * How a brush paints.
     * @param {CanvasRenderingContext2D} context
     */
    #dip(context) {
        const ground = this.#ground();
        context.lineCap = context.lineJoin = "round";
        context.lineWidth = BRUSH * Math.min(ground.width, ground.height);
        context.strokeStyle = "rgb(128 128 128)";
        if (this.way === "blur") context.strokeStyle = context.createPattern(blurred(/** @type {ImageBitmap} */ (this.picture), ground), "no-repeat") ?? "gray";
        context.fillStyle = context.strokeStyle;
    }

    /** @param {PointerEvent} event */
    #start(event) {
        if (!event.isPrimary || event.button) return;
        event.preventDefault();
        const paint = /** @type {HTMLCanvasElement} */ (event.currentTarget);
        paint.setPointerCapture(event.pointerId);
        const { width, height } = this.#ground();
        Object.assign(paint, { width, height });
        this.#last = this.#place(event);
        this.#stroke(event);
    }

    /** @param {PointerEvent} event */
    #stroke(event) {
        if (!this.#last) return;
        const next = this.#place(event);
        for (const canvas of [/** @type {HTMLCanvasElement} */ (event.currentTarget), this.#ground()]) {
            const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
            this.#dip(context);
            context.beginPath();
            context.moveTo(this.#last.x, this.#last.y);
            context.lineTo(next.x + 0.01, next.y); // a point too
            context.stroke();
        }
        this.#last = next;
    }

    #stop() {
        if (!this.#last) return;
        this.#last = null;
        this.#ask();
    }

    /** @param {PointerEvent} event */
    #place({ clientX, clientY, currentTarget }) {
        const { left, top, width, height } = /** @type {Element} */ (currentTarget).getBoundingClientRect();
        const ground = this.#ground();
        return { x: ((clientX - left) / width) * ground.width, y: ((clientY - top) / height) * ground.height };
    }

    /** Covers the place that speaks most for the likelier label. */
    #coverStrongest() {
        const explanation = this.now ?? this.explanation;
        if (!explanation) return;
        const { evidence, prediction, size } = explanation;
        const map = evidence[prediction.cat >= prediction.dog ? "cat" : "dog"];
        const place = map.indexOf(Math.max(...map));
        const [left, top, right, bottom] = boxOfPlace(explanation, { row: Math.floor(place / evidence.width), column: place % evidence.width });
        const ground = this.#ground(), across = ground.width / size[0], down = ground.height / size[1];
        const width = (right - left) * across * PLACES, height = (bottom - top) * down * PLACES;
        const context = /** @type {CanvasRenderingContext2D} */ (ground.getContext("2d"));
        this.#dip(context);
        context.fillRect(((left + right) / 2) * across - width / 2, ((top + bottom) / 2) * down - height / 2, width, height);
        this.#ask();
    }

    #ask() {
        const ground = this.#ground();
        const shown = document.createElement("canvas"); // as it is now
        Object.assign(shown, { width: ground.width, height: ground.height });
        shown.getContext("2d")?.drawImage(ground, 0, 0);
        const encoding = new Promise((resolve) => shown.toBlob(resolve, "image/png"));
        this.busy = true;
        this.#latest.ask(
            async (signal) => engine.explain(await encoding, { signal }),
            async (now) => {
                Object.assign(this, { now, painted: shown, problem: null, busy: false });
                await this.updateComplete;
                if (!this.#last) this.#clear();
            },
            (problem) => Object.assign(this, { problem, busy: false }),
        );
    }

    render() {
        const { picture, explanation } = this;
        if (!picture || !explanation) return nothing;
        const now = this.now ?? explanation;
        const [width, height] = sizeOf(picture);
        return html`
            <p>${t("tour.erase-text")}</p>
            <div class="beside">
                <div class="stage">
                    <evidence-view .picture=${this.painted ?? picture} .explanation=${now} .boxes=${false}></evidence-view>
                    <canvas class="paint" .style=${`--ratio: ${width / height}`} @pointerdown=${this.#start} @pointermove=${this.#stroke} @pointerup=${this.#stop}
                        @pointercancel=${this.#stop}></canvas>
                </div>
                <div>
                    <div class="answer ${this.busy ? "busy" : ""}" aria-busy=${this.busy ? "true" : "false"}>
                        <verdict-panel compact .prediction=${now.prediction} .thresholds=${now.thresholds}></verdict-panel>${logitsOf(now.prediction)}</div>
                    ${this.problem ? html`<p role="alert">${t(`problem.${this.problem}`)}</p>` : nothing}
                    <div class="row">
                        <fieldset class="segments"><legend class="visually-hidden">${t("tour.erase-way")}</legend>
                            ${WAYS.map((way) => html`<label><input type="radio" name="way" .checked=${way === this.way} @change=${() => { this.way = way; }}>
                                <span>${t(`tour.erase-${way}`)}</span></label>`)}</fieldset>
                        <button class="button" ?disabled=${this.busy} @click=${this.#coverStrongest}>${t("tour.erase-strongest")}</button>
                        ${this.painted || this.busy ? html`<button class="button quiet" @click=${this.#startOver}>${t("tour.erase-again")}</button>` : nothing}
                    </div>
                </div>
            </div>`;
    }
}

/**
 * The photo without any detail.
 * @param {ImageBitmap | HTMLImageElement} picture
 * @param {{width: number, height: number}} size
 */
function blurred(picture, { width, height }) {
    const small = document.createElement("canvas"), large = document.createElement("canvas");
    small.width = Math.max(1, Math.round(width / COARSE));
    small.height = Math.max(1, Math.round(height / COARSE));
    Object.assign(large, { width, height });
    const drawing = (/** @type {HTMLCanvasElement} */ canvas) => {
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        context.imageSmoothingQuality = "high";
        return context;
    };
    drawing(small).drawImage(picture, 0, 0, small.width, small.height);
    drawing(large).drawImage(small, 0, 0, width, height);
    return large;
}

customElements.define("tour-erase", TourErase);
