/** One channel of features as gray pixels: the middle gray is zero, lighter is more, darker is below zero. */
import { LitElement, css, html } from "../vendor/lit.js";

const ZERO = 110; // of 255: most features are zero or more

export class FeatureMap extends LitElement {
    static properties = { values: { attribute: false }, scale: { type: Number }, name: {} };

    static styles = css`
        :host { display: block; }
        canvas { display: block; width: 100%; height: auto; border-radius: var(--radius-small); image-rendering: pixelated; }
    `;

    constructor() {
        super();
        /** @type {number[][]} rows */
        this.values = [[0]];
        /** The value that is white; minus it is black. */
        this.scale = 1;
        /** What a screen reader says. */
        this.name = "";
    }

    render() {
        return html`<canvas role="img" aria-label=${this.name}></canvas>`;
    }

    /** @param {Map<string, unknown>} changed */
    updated(changed) {
        if (!changed.has("values") && !changed.has("scale")) return;
        const canvas = /** @type {HTMLCanvasElement} */ (this.renderRoot.querySelector("canvas"));
        canvas.height = this.values.length;
        canvas.width = this.values[0].length;
        const pixels = new ImageData(canvas.width, canvas.height);
        for (const [place, value] of this.values.flat().entries()) {
            const gray = ZERO + (value / this.scale) * (value < 0 ? ZERO : 255 - ZERO);
            pixels.data.set([gray, gray, gray, 255], 4 * place);
        }
        canvas.getContext("2d")?.putImageData(pixels, 0, 0);
    }
}

customElements.define("feature-map", FeatureMap);
