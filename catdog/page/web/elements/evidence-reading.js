/** "How to read this", folded under the picture: what color means, and the numbers behind it. */
import { LitElement, html, css, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { totals } from "../evidence.js";
import { percent } from "../verdict.js";
import { controls } from "./controls.js";

/** @typedef {import("../engine/types.js").Explanation} Explanation */

const LABELS = /** @type {const} */ (["cat", "dog"]);

/** @param {number} value @param {number} digits */
const signed = (value, digits) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

export class EvidenceReading extends Worded(LitElement) {
    static properties = {
        explanation: { attribute: false },
        mapped: { attribute: false },
        place: { attribute: false },
        open: { type: Boolean, reflect: true },
    };

    static styles = [
        controls,
        css`
            :host { font-size: var(--text-s); }
            :host([open]) { flex: 1 0 100%; }
            .text { display: grid; gap: var(--space-3); max-width: 42rem; padding-block: var(--space-2) var(--space-4); color: var(--ink-soft); }
            table { border-collapse: collapse; color: var(--ink); font-variant-numeric: tabular-nums; }
            th { font-weight: 400; text-align: start; }
            thead th, .sum > * { font-weight: 600; }
            td, thead th { padding-inline-start: var(--space-5); text-align: end; }
            th, td { padding-block: var(--space-1); }
            .sum > * { border-top: 1px solid var(--line-strong); }
        `,
    ];

    constructor() {
        super();
        /** @type {Explanation | null} */
        this.explanation = null;
        /** Whose map is shown: the explanation, or a finer one. @type {Explanation | null} */
        this.mapped = null;
        /** @type {{row: number, column: number} | null} */
        this.place = null;
        this.open = false;
    }

    render() {
        const { explanation, mapped } = this;
        return html`
            <details class="fold" ?open=${this.open} @toggle=${this.#onToggle}>
                <summary>${t("view.reading")}</summary>
                ${this.open && explanation && mapped ? this.#text(explanation, mapped) : nothing}
            </details>
        `;
    }

    /** @param {Explanation} explanation @param {Explanation} mapped */
    #text(explanation, mapped) {
        const { view, size } = explanation;
        const whole = view[0] === 0 && view[1] === 0 && view[2] === size[0] && view[3] === size[1];
        return html`
            <div class="text">
                <p>${t("view.reading-color")}</p>
                <p>${t("view.reading-bars")}</p>
                ${whole ? nothing : html`<p>${t("view.reading-unseen")}</p>`}
                ${mapped === explanation ? nothing : html`<p>${t("view.reading-finer")}</p>`}
                ${this.#numbers(explanation)}
                <p>${t("view.reading-scale", { scale: mapped.scale.toFixed(1) })} ${this.#place(mapped)}</p>
            </div>
        `;
    }

    /** @param {Explanation} explanation */
    #numbers({ prediction, evidence, bias }) {
        const sums = totals(evidence);
        const row = (/** @type {string} */ name, /** @type {string[]} */ values, kind = "") =>
            html`<tr class=${kind}><th scope="row">${name}</th>${values.map((value) => html`<td>${value}</td>`)}</tr>`;
        return html`
            <table>
                <thead>
                    <tr><td></td>${LABELS.map((label) => html`<th scope="col">${t(`view.label-${label}`)}</th>`)}</tr>
                </thead>
                <tbody>
                    ${row(t("view.number-places", { places: evidence.height * evidence.width }), LABELS.map((label) => signed(sums[label], 2)))}
                    ${row(t("view.number-bias"), bias.map((value) => signed(value, 2)))}
                    ${row(t("view.number-logit"), prediction.logits.map((value) => signed(value, 2)), "sum")}
                    ${row(t("view.number-probability"), LABELS.map((label) => percent(prediction[label])))}
                </tbody>
            </table>
        `;
    }

    /** @param {Explanation} mapped */
    #place({ evidence }) {
        if (!this.place) return nothing;
        const index = this.place.row * evidence.width + this.place.column;
        const value = (/** @type {"cat" | "dog"} */ label) => signed(evidence[label][index] * evidence.height * evidence.width, 1);
        return t("view.number-place", { cat: value("cat"), dog: value("dog") });
    }

    /** @param {Event} event */
    #onToggle({ currentTarget }) {
        this.open = /** @type {HTMLDetailsElement} */ (currentTarget).open;
    }
}

customElements.define("evidence-reading", EvidenceReading);
