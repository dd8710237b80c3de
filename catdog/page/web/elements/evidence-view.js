/** A picture with its evidence over it, in layers that the browser puts together: photo, gray, map, veil, boxes. */
import { LitElement, html, css, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { PAIRS, SATURATION, STRENGTH, VEIL, colored, here, placeAt, shareAt, sharesOf, smooth } from "../evidence.js";
import { describe } from "../verdict.js";
import { sizeOf } from "../pictures.js";

/** @typedef {import("../engine/types.js").Explanation} Explanation */
/** @typedef {import("../engine/types.js").Box} Box */
/** @typedef {import("../evidence.js").Show} Show */

const FADE = 600; // ms, for evidence to appear over a new picture
const LABELS = /** @type {const} */ (["cat", "dog"]);

export class EvidenceView extends Worded(LitElement) {
    static properties = {
        picture: { attribute: false },
        explanation: { attribute: false },
        finer: { attribute: false },
        show: {},
        boxes: { attribute: false },
        opacity: { type: Number },
        colors: { type: Number },
        readable: { type: Boolean },
        place: { state: true },
    };

    static styles = css`
        :host { display: block; }
        .frame {
            position: relative; isolation: isolate; overflow: hidden; border-radius: var(--radius); margin-inline: auto;
            aspect-ratio: var(--ratio); width: min(100%, var(--max-height, 80vh) * var(--ratio)); background: var(--line);
        }
        .frame:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
        .readable { cursor: crosshair; touch-action: pan-y pinch-zoom; }
        canvas { position: absolute; display: block; }
        .picture { inset: 0; width: 100%; height: 100%; }
        .gray, .map, .seen, .box, .place { position: absolute; }
        .gray { background: gray; mix-blend-mode: saturation; }
        .seen { box-shadow: 0 0 0 200vmax rgb(128 128 128 / var(--veil)); }
        .box { border: 2px solid rgb(var(--color)); box-sizing: border-box; border-radius: 4px; }
        .box span {
            position: absolute; top: -2px; left: -2px; padding: 0 0.5em; border-radius: 4px 0; background: rgb(var(--color));
            color: var(--on-color); font-size: var(--text-s); font-weight: 600; line-height: 1.6;
        }
        .place { border: 2px solid white; box-shadow: 0 0 0 1px rgb(0 0 0 / 0.6), inset 0 0 0 1px rgb(0 0 0 / 0.6); box-sizing: border-box; border-radius: 2px; }
        .caption { min-height: 1.5em; margin: var(--space-2) 0 0; color: var(--ink-soft); font-size: var(--text-s); }
    `;

    constructor() {
        super();
        /** @type {ImageBitmap | HTMLImageElement | HTMLCanvasElement | HTMLVideoElement | null} */
        this.picture = null;
        /** @type {Explanation | null} */
        this.explanation = null;
        /** @type {Explanation | null} */
        this.finer = null;
        /** @type {Show} */
        this.show = "both";
        this.boxes = true;
        this.opacity = STRENGTH;
        this.colors = 0;
        this.readable = false;
        /** @type {{row: number, column: number} | null} */
        this.place = null;
        this.watcher = new ResizeObserver(() => this.#drawPicture());
    }

    connectedCallback() {
        super.connectedCallback();
        this.watcher.observe(this);
        this.requestUpdate();
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        this.watcher.disconnect();
    }

    /** What the map is of: the finer look where there is one. */
    get #mapped() {
        return this.finer ?? this.explanation;
    }

    get #frame() {
        return /** @type {HTMLElement} */ (this.renderRoot.querySelector(".frame"));
    }

    /** @param {Map<string, unknown>} changed */
    willUpdate(changed) {
        if (changed.has("explanation") || changed.has("finer")) this.place = null;
    }

    render() {
        const { explanation } = this;
        if (!this.picture) return nothing;
        const ratio = this.#ratio();
        const shown = explanation && this.show !== "photo";
        const pair = PAIRS[this.colors];
        return html`
            <div class="frame ${this.readable ? "readable" : ""}" .style=${`--ratio: ${ratio}; --veil: ${VEIL}`}
                role=${this.readable ? "application" : "img"} tabindex=${this.readable ? 0 : nothing}
                aria-label=${explanation ? describe(explanation, t) : t("view.picture")}
                @pointermove=${this.#onPointer} @pointerdown=${this.#onPointer} @pointerleave=${this.#onLeave} @keydown=${this.#onKey}>
                <canvas class="picture"></canvas>
                ${shown ? html`<div class="gray" .style=${this.#at(explanation.view) + `opacity: ${this.#graying()}`}></div>` : nothing}
                <canvas class="map" ?hidden=${!shown} .style=${explanation ? this.#at(explanation.view) + `opacity: ${this.opacity}` : ""}></canvas>
                ${explanation ? html`<div class="seen" .style=${this.#at(explanation.view)}></div>` : nothing}
                ${explanation && this.boxes ? LABELS.map((label) => this.#box(label, explanation.boxes[label], pair[label])) : nothing}
                ${this.place ? html`<div class="place" .style=${this.#at(this.#boxOfPlace(this.place))}></div>` : nothing}
            </div>
            ${this.readable && explanation ? html`<p class="caption">${this.#words()}</p>` : nothing}
        `;
    }

    /** @param {Map<string, unknown>} changed */
    updated(changed) {
        if (changed.has("picture")) this.#drawPicture();
        if (["explanation", "finer", "show", "colors"].some((name) => changed.has(name))) this.#drawMap();
        const fresh = changed.has("explanation") && (changed.get("explanation") === null || changed.has("picture"));
        if (fresh && this.explanation) this.#fadeIn();
    }

    /** The whole as one canvas, to be saved or shared. @param {number} maxSide px */
    toCanvas(maxSide) {
        const canvas = document.createElement("canvas");
        const [width, height] = this.picture ? sizeOf(this.picture) : [1, 1];
        const times = Math.min(1, maxSide / Math.max(width, height));
        canvas.width = Math.round(width * times);
        canvas.height = Math.round(height * times);
        const context = canvas.getContext("2d");
        if (context && this.picture) context.drawImage(this.picture, 0, 0, canvas.width, canvas.height);
        return canvas;
    }

    fullScreen() {
        return this.#frame.requestFullscreen();
    }

    #ratio() {
        const [width, height] = this.picture ? sizeOf(this.picture) : [1, 1];
        return (width || 4) / (height || 3);
    }

    #graying() {
        return (1 - SATURATION) * Math.min(1, this.opacity / STRENGTH);
    }

    /**
     * @param {Box} box
     * @returns {string} where it is in the frame
     */
    #at([left, top, right, bottom]) {
        const [width, height] = /** @type {Explanation} */ (this.explanation).size;
        return `left: ${(100 * left) / width}%; top: ${(100 * top) / height}%;
            width: ${(100 * (right - left)) / width}%; height: ${(100 * (bottom - top)) / height}%;`;
    }

    /**
     * @param {"cat" | "dog"} label
     * @param {Box | null} box
     * @param {[number, number, number]} color
     */
    #box(label, box, [red, green, blue]) {
        if (!box) return nothing;
        const text = 0.299 * red + 0.587 * green + 0.114 * blue > 130 ? "black" : "white";
        const style = `${this.#at(box)} --color: ${red} ${green} ${blue}; --on-color: ${text}`;
        return html`<div class="box" .style=${style}><span>${t(`view.label-${label}`)}</span></div>`;
    }

    /**
     * @param {{row: number, column: number}} place
     * @returns {Box}
     */
    #boxOfPlace({ row, column }) {
        const { evidence, view: [left, top, right, bottom] } = /** @type {Explanation} */ (this.#mapped);
        const across = (right - left) / evidence.width, down = (bottom - top) / evidence.height;
        return [left + column * across, top + row * down, left + (column + 1) * across, top + (row + 1) * down];
    }

    #words() {
        const mapped = /** @type {Explanation} */ (this.#mapped);
        if (this.place) return here(shareAt(mapped, this.place), t);
        return this.show === "photo" ? "" : t(`view.stronger-${this.show}`);
    }

    #drawPicture() {
        const canvas = /** @type {HTMLCanvasElement | null} */ (this.renderRoot.querySelector(".picture"));
        if (!canvas || !this.picture) return;
        const { width, height } = canvas.getBoundingClientRect();
        canvas.width = Math.max(1, Math.round(width * devicePixelRatio));
        canvas.height = Math.max(1, Math.round(height * devicePixelRatio));
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        context.imageSmoothingQuality = "high";
        context.drawImage(this.picture, 0, 0, canvas.width, canvas.height);
    }

    #drawMap() {
        const canvas = /** @type {HTMLCanvasElement | null} */ (this.renderRoot.querySelector(".map"));
        if (!canvas || !this.#mapped || this.show === "photo") return;
        const fine = smooth(sharesOf(this.#mapped.evidence, this.#mapped.scale, this.show));
        canvas.width = fine.width;
        canvas.height = fine.height;
        canvas.getContext("2d")?.putImageData(new ImageData(colored(fine, PAIRS[this.colors]), fine.width, fine.height), 0, 0);
    }

    #fadeIn() {
        if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
        for (const layer of this.renderRoot.querySelectorAll(".gray, .map, .box")) {
            layer.animate([{ opacity: 0 }, {}], { duration: FADE, easing: "ease-out" });
        }
    }

    /** @param {PointerEvent} event */
    #onPointer({ clientX, clientY }) {
        if (!this.readable || !this.explanation) return;
        const { left, top, width, height } = this.#frame.getBoundingClientRect();
        const [across, down] = this.explanation.size;
        this.place = placeAt(/** @type {Explanation} */ (this.#mapped), ((clientX - left) / width) * across, ((clientY - top) / height) * down);
    }

    /** @param {PointerEvent} event */
    #onLeave({ pointerType }) {
        if (pointerType === "mouse") this.place = null; // a finger's last place stays
    }

    /** @param {KeyboardEvent} event */
    #onKey(event) {
        const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
        if (!step || !this.readable || !this.#mapped) return;
        event.preventDefault();
        const { height, width } = this.#mapped.evidence;
        const { row, column } = this.place ?? { row: (height - 1) >> 1, column: (width - 1) >> 1 };
        const clamp = (/** @type {number} */ value, /** @type {number} */ length) => Math.min(length - 1, Math.max(0, value));
        this.place = { row: clamp(row + step[0], height), column: clamp(column + step[1], width) };
    }
}

customElements.define("evidence-view", EvidenceView);
