/** A photo with a map over it that is stretched to its own maximum: where something is, not how much. */
import { drawAll, drawMap } from "../drawing.js";
import { STRENGTH } from "../evidence.js";
import { drawReduced } from "../pictures.js";
import { LitElement, css, html } from "../vendor/lit.js";

/** @typedef {import("../engine/types.js").Explanation} Explanation */
/** @typedef {{values: number[][], label: "cat" | "dog", view: import("../engine/types.js").Box, size: [number, number]}} Mapped */

const SIDE = 720; // px, long side: as large as it is shown

/** @param {Mapped | null} map @param {Mapped | null} [other] */
const isAnother = (map, other) => map?.values !== other?.values || map?.label !== other?.label;

export class CamMap extends LitElement {
    static properties = {
        picture: { attribute: false },
        mapped: { attribute: false, hasChanged: isAnother },
        name: {},
    };

    static styles = css`
        :host { display: block; }
        canvas { display: block; width: 100%; height: auto; border-radius: var(--radius); background: var(--sunken); }
    `;

    constructor() {
        super();
        /** @type {ImageBitmap | HTMLImageElement | null} */
        this.picture = null;
        /** @type {Mapped | null} */
        this.mapped = null;
        /** What a screen reader says. */
        this.name = "";
    }

    render() {
        return html`<canvas role="img" aria-label=${this.name}></canvas>`;
    }

    /** @param {Map<string, unknown>} changed */
    updated(changed) {
        if (!this.picture || !(changed.has("picture") || changed.has("mapped"))) return;
        const canvas = /** @type {HTMLCanvasElement} */ (this.renderRoot.querySelector("canvas"));
        drawReduced(canvas, this.picture, SIDE);
        /** @type {import("../drawing.js").Look} */
        const look = { show: this.mapped?.label ?? "photo", boxes: false, opacity: STRENGTH, colors: 0 };
        const explanation = this.mapped && explained(this.mapped), map = document.createElement("canvas");
        if (explanation) drawMap(map, explanation, look);
        const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        drawAll(context, this.picture, explanation, map, look, { cat: "", dog: "" });
    }
}

/**
 * A map as evidence on a scale of its own, at whose end the color is full.
 * @param {Mapped} mapped
 * @returns {Explanation}
 */
function explained({ values, label, view, size }) {
    const height = values.length, width = values[0].length;
    const none = new Float32Array(height * width);
    const evidence = { height, width, cat: none, dog: none, [label]: Float32Array.from(values.flat()) };
    return /** @type {Explanation} */ ({ evidence, scale: height * width, view, size, boxes: { cat: null, dog: null } });
}

customElements.define("cam-map", CamMap);
