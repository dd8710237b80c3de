/** A picture with its evidence over it, in layers that the browser puts together: photo, gray, map, veil, boxes. */
import { LitElement, html, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { PAIRS, STRENGTH, UNSEEN, VEIL, boxOfPlace, here, onColor, placeAt, shareAt } from "../evidence.js";
import { drawAll, drawMap, graying } from "../drawing.js";
import { describe } from "../verdict.js";
import { sizeOf } from "../pictures.js";
import { controls } from "./controls.js";
import { evidenceStyle } from "./evidence-style.js";
import { icons } from "./icons.js";
import "./evidence-reading.js";

/** @typedef {import("../engine/types.js").Explanation} Explanation */
/** @typedef {import("../engine/types.js").Box} Box */
/** @typedef {import("../evidence.js").Show} Show */
/** @typedef {{row: number, column: number}} Place */

const LONGEST_NAME = 18; // letters
const FADE = 600; // ms, for evidence to appear over a new picture
const LABELS = /** @type {const} */ (["cat", "dog"]);
/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

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
        mirrored: { type: Boolean },
        pets: { attribute: false },
        place: { state: true },
        unseen: { state: true },
        full: { state: true },
    };

    static styles = [controls, evidenceStyle];

    #watcher = new ResizeObserver(() => this.#drawPicture());
    /** What was drawn last: where it is the same, nothing is drawn again. @type {unknown[]} */
    #drawn = [];

    constructor() {
        super();
        /** Upright. @type {ImageBitmap | HTMLImageElement | HTMLCanvasElement | HTMLVideoElement | null} */
        this.picture = null;
        /** @type {Explanation | null} */
        this.explanation = null;
        /** A closer look at the same picture, whose map is shown instead. @type {Explanation | null} */
        this.finer = null;
        /** @type {Show} */
        this.show = "both";
        this.boxes = true;
        this.opacity = STRENGTH;
        /** Which pair of colors. */
        this.colors = 0;
        /** Says what is under the pointer, and how to read the map. */
        this.readable = false;
        /** As in a mirror: the user's own camera. */
        this.mirrored = false;
        /** What the visitor's own cat or dog in the picture is called. @type {{cat?: string, dog?: string}} */
        this.pets = {};
        /** Where the pointer is. @type {Place | null} */
        this.place = null;
        /** The pointer is where the network did not look. */
        this.unseen = false;
        /** Over the whole screen. */
        this.full = false;
    }

    connectedCallback() {
        super.connectedCallback();
        this.#watcher.observe(this);
        this.#follow();
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        this.#watcher.disconnect();
    }

    /** Whose map is shown. */
    get #mapped() {
        return this.finer ?? this.explanation;
    }

    get #look() {
        return { show: this.show, boxes: this.boxes, opacity: this.opacity, colors: this.colors };
    }

    get #names() {
        const { cat, dog } = this.pets;
        return { cat: cat ? shortened(cat) : t("view.label-cat"), dog: dog ? shortened(dog) : t("view.label-dog") };
    }

    /** @template {Element} Found @param {string} selector @returns {Found | null} */
    #find(selector) {
        return this.renderRoot.querySelector(selector);
    }

    /** @param {Map<string, unknown>} changed */
    willUpdate(changed) {
        const { place } = this;
        const map = this.#mapped?.evidence;
        const gone = !map || (place && (place.row >= map.height || place.column >= map.width));
        if (gone || changed.has("picture") || changed.has("finer")) this.place = null;
    }

    render() {
        if (!this.picture) return nothing;
        const { explanation } = this;
        const readable = this.readable && explanation;
        const classes = `stage ${this.full ? "full" : ""} ${readable ? "readable" : ""} ${this.mirrored ? "mirrored" : ""}`;
        return html`
            <div class=${classes} @fullscreenchange=${this.#onFullScreen} @toggle=${this.#onToggle}>
                <div class="frame" .style=${`--ratio: ${this.#ratio()}`}
                    role=${readable ? "application" : "img"} tabindex=${readable ? 0 : nothing}
                    aria-label=${explanation ? describe(explanation, t) : t("view.picture")}
                    aria-describedby=${readable ? "keys" : nothing}
                    @pointermove=${this.#onPointer} @pointerdown=${this.#onPointer} @pointerleave=${this.#onLeave}
                    @keydown=${this.#onKey}>
                    <div class="layers">
                        ${this.picture instanceof HTMLVideoElement ? this.picture : html`<canvas class="picture"></canvas>`}
                        ${explanation ? this.#layers(explanation) : nothing}
                    </div>
                </div>
                <button class="button icon close" aria-label=${t("view.close")} @click=${this.#leave}>${icons.close}</button>
            </div>
            ${this.readable ? this.#caption() : nothing}
        `;
    }

    /** @param {Explanation} explanation */
    #layers(explanation) {
        const { view, boxes } = explanation;
        const mapped = this.finer ?? explanation;
        const at = this.#at(mapped.view);
        const colored = this.show !== "photo";
        const named = this.boxes ? LABELS.filter((label) => boxes[label]) : [];
        return html`
            ${colored ? html`<div class="gray" .style=${`${at}; opacity: ${graying(this.opacity)}`}></div>` : nothing}
            <canvas class="map" ?hidden=${!colored} .style=${`${at}; opacity: ${this.opacity}`}></canvas>
            <div class="seen" .style=${`${this.#at(view)}; --unseen: rgb(${UNSEEN.join(" ")} / ${VEIL})`}></div>
            ${named.map((label) => this.#box(label, /** @type {Box} */ (boxes[label]), named.length > 1))}
            ${this.place ? html`<div class="place" .style=${this.#at(boxOfPlace(mapped, this.place))}></div>` : nothing}
        `;
    }

    /**
     * @param {"cat" | "dog"} label
     * @param {Box} box
     * @param {boolean} two the dog's name is at its box's foot then: the boxes may begin at one point
     */
    #box(label, box, two) {
        const color = PAIRS[this.colors][label];
        const style = `${this.#at(box)}; --color: ${color.join(" ")}; --on-color: ${onColor(color)}`;
        const [width] = /** @type {Explanation} */ (this.explanation).size;
        const far = (this.mirrored ? width - box[2] : box[0]) > 0.8 * width; // or the frame would cut the name off
        const where = `name ${far !== this.mirrored ? "far" : ""} ${two && label === "dog" ? "low" : ""}`;
        return html`<div class="box" .style=${style}><span class=${where}>${this.#names[label]}</span></div>`;
    }

    #caption() {
        const { explanation, place } = this;
        const mapped = this.#mapped;
        const about = this.show === "photo" ? "" : this.#legend();
        const words = mapped && place ? here(shareAt(mapped, place), t) : this.unseen ? t("view.here-unseen") : about;
        return html`
            <div class=${mapped ? "caption" : "caption early"}>
                <p>${words}</p>
                <evidence-reading .explanation=${explanation} .mapped=${mapped} .place=${place}></evidence-reading>
            </div>
            <span class="visually-hidden" role="status"></span>
            <span class="visually-hidden" id="keys">${t("view.keys")}</span>
        `;
    }

    #legend() {
        const { names } = PAIRS[this.colors];
        return t(`view.stronger-${this.show}`, { cat: t(`view.color-${names.cat}`), dog: t(`view.color-${names.dog}`) });
    }

    /** @param {Map<string, unknown>} changed */
    updated(changed) {
        if (changed.has("picture")) this.#follow();
        const mapped = this.#mapped;
        const canvas = /** @type {HTMLCanvasElement | null} */ (this.#find("canvas.map"));
        const wanted = [canvas, mapped, this.show, this.colors];
        if (canvas && mapped && this.show !== "photo" && wanted.some((each, n) => each !== this.#drawn[n])) {
            drawMap(canvas, mapped, this.#look);
            this.#drawn = wanted;
        }
        const fresh = changed.has("explanation") && (!changed.get("explanation") || changed.has("picture"));
        if (fresh && this.explanation) this.#fadeIn();
    }

    /**
     * All that is shown, as one canvas to save or share.
     * @param {number} maxSide px
     */
    toCanvas(maxSide) {
        const canvas = document.createElement("canvas");
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        if (!this.picture) return canvas;
        const [width, height] = sizeOf(this.picture);
        const times = Math.min(1, maxSide / Math.max(width, height));
        canvas.width = Math.round(width * times);
        canvas.height = Math.round(height * times);
        const map = document.createElement("canvas");
        if (this.#mapped) drawMap(map, this.#mapped, this.#look);
        drawAll(context, this.picture, this.explanation, map, this.#look, this.#names);
        return canvas;
    }

    /** The picture alone, as large as the screen; Escape leaves. */
    async fullScreen() {
        const stage = /** @type {HTMLElement} */ (this.#find(".stage"));
        if (document.fullscreenEnabled) return stage.requestFullscreen();
        stage.popover = "auto"; // an iPhone: as large as the window, and Escape and the back gesture leave it too
        stage.showPopover();
    }

    #leave() {
        if (document.fullscreenElement) document.exitFullscreen();
        else /** @type {HTMLElement} */ (this.#find(".stage")).hidePopover();
    }

    #onFullScreen() {
        this.full = /** @type {HTMLElement} */ (this.#find(".stage")).matches(":fullscreen");
    }

    /** @param {ToggleEvent} event */
    #onToggle({ newState }) {
        this.full = newState === "open";
        if (!this.full) /** @type {HTMLElement} */ (this.#find(".stage")).popover = null; // or it would be hidden
    }

    #ratio() {
        const [width, height] = this.picture ? sizeOf(this.picture) : [0, 0];
        return (width || 4) / (height || 3); // a camera has no size before its first frame
    }

    /** Where a box is in the frame, as CSS. @param {Box} box */
    #at([left, top, right, bottom]) {
        const [width, height] = /** @type {Explanation} */ (this.explanation).size;
        const part = (/** @type {number} */ length, /** @type {number} */ whole) => `${(100 * length) / whole}%`;
        return `left: ${part(left, width)}; top: ${part(top, height)}; width: ${part(right - left, width)}; height: ${part(bottom - top, height)}`;
    }

    /** A film plays by itself, and may turn with the phone; a picture is drawn once. */
    #follow() {
        if (this.picture instanceof HTMLVideoElement) this.picture.onresize = () => this.requestUpdate();
        else this.#drawPicture();
    }

    /** In the screen's pixels, and in no more than the picture has. */
    #drawPicture() {
        const canvas = /** @type {HTMLCanvasElement | null} */ (this.#find("canvas.picture"));
        if (!canvas || !this.picture) return;
        const [width, height] = sizeOf(this.picture);
        const shown = canvas.offsetWidth * devicePixelRatio;
        if (!width || !shown) return;
        const times = Math.min(1, shown / width);
        const [across, down] = [Math.max(1, Math.round(width * times)), Math.max(1, Math.round(height * times))];
        if (canvas.width !== across) canvas.width = across;
        if (canvas.height !== down) canvas.height = down;
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        context.imageSmoothingQuality = "high";
        context.drawImage(this.picture, 0, 0, across, down);
    }

    #fadeIn() {
        if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
        for (const layer of this.renderRoot.querySelectorAll(".gray, .map, .box")) {
            layer.animate([{ opacity: 0 }, {}], { duration: FADE, easing: "ease-out" });
        }
    }

    /** @param {PointerEvent} event */
    #onPointer({ clientX, clientY, currentTarget }) {
        if (!this.readable || !this.explanation || !this.#mapped) return;
        const { left, top, width, height } = /** @type {Element} */ (currentTarget).getBoundingClientRect();
        const across = (clientX - left) / width, down = (clientY - top) / height;
        const [pictureWidth, pictureHeight] = this.explanation.size;
        this.place = placeAt(this.#mapped, (this.mirrored ? 1 - across : across) * pictureWidth, down * pictureHeight);
        this.unseen = !this.place;
    }

    /** @param {PointerEvent} event */
    #onLeave({ pointerType }) {
        if (pointerType !== "mouse") return; // a finger's last place stays
        this.place = null;
        this.unseen = false;
    }

    /** @param {KeyboardEvent} event */
    #onKey(event) {
        const step = STEPS[event.key];
        if (!step || !this.readable || !this.#mapped) return;
        event.preventDefault();
        const { height, width } = this.#mapped.evidence;
        const clamped = (/** @type {number} */ value, /** @type {number} */ length) => Math.min(length - 1, Math.max(0, value));
        const { row, column } = this.place ?? { row: (height - 1) >> 1, column: (width - 1) >> 1 };
        const across = this.mirrored ? -step[1] : step[1];
        this.place = { row: clamped(row + step[0], height), column: clamped(column + across, width) };
        const status = this.#find("[role=status]");
        if (status) status.textContent = here(shareAt(this.#mapped, this.place), t); // a mouse's are not spoken
    }
}

/** So that it has room over a box. @param {string} name */
function shortened(name) {
    const letters = [...name];
    return letters.length > LONGEST_NAME ? `${letters.slice(0, LONGEST_NAME - 1).join("")}…` : name;
}

customElements.define("evidence-view", EvidenceView);
