/** The verdict in a sentence that carries its doubt, and a bar for each label with the threshold as a tick. */
import { LitElement, html, css } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { percent, sentenceCode, ticks } from "../verdict.js";

export class VerdictPanel extends Worded(LitElement) {
    static properties = {
        prediction: { attribute: false },
        spoken: { attribute: false },
        thresholds: { attribute: false },
        compact: { type: Boolean, reflect: true },
    };

    static styles = css`
        :host { display: block; }
        .sentence { margin: 0 0 var(--space-4); font-size: var(--text-xl); line-height: 1.15; font-weight: 650; text-wrap: balance; }
        .name { font-weight: 600; }
        .bars { display: grid; grid-template-columns: max-content 1fr max-content; align-items: center; gap: var(--space-3); }
        .track { position: relative; height: 0.75rem; border-radius: 1rem; background: var(--line); }
        .fill { height: 100%; min-width: 0.375rem; border-radius: inherit; transition: width var(--motion); }
        .cat .fill { background: var(--cat); }
        .dog .fill { background: var(--dog); }
        .tick {
            position: absolute; inset-block: -0.25rem; width: 2px; margin-left: -1px; background: var(--ink);
            transition: left var(--motion);
        }
        .percent { min-width: 3.25em; text-align: right; font-variant-numeric: tabular-nums; }
        :host([compact]) .sentence { margin-bottom: var(--space-2); font-size: var(--text-l); }
        :host([compact]) .bars { gap: var(--space-2) var(--space-3); font-size: var(--text-s); }
        :host([compact]) .track { height: 0.5rem; }
        .row { display: contents; }
        @media (forced-colors: active) {
            .track { outline: 1px solid CanvasText; }
            .fill { background: Highlight !important; forced-color-adjust: none; }
            .tick { background: CanvasText; forced-color-adjust: none; }
        }
    `;

    constructor() {
        super();
        /** @type {import("../engine/types.js").Prediction | null} */
        this.prediction = null;
        /** @type {import("../engine/types.js").Prediction | null} what the sentence is of, where it must change less than the bars */
        this.spoken = null;
        /** @type {import("../engine/types.js").Thresholds | null} */
        this.thresholds = null;
        this.compact = false;
    }

    render() {
        if (!this.prediction || !this.thresholds) return null;
        const spoken = this.spoken ?? this.prediction;
        const tick = ticks(spoken, this.thresholds);
        return html`
            <h2 class="sentence">${t(sentenceCode(spoken))}</h2>
            <div class="bars">${this.#bar("cat", this.prediction.cat, tick.cat)} ${this.#bar("dog", this.prediction.dog, tick.dog)}</div>
        `;
    }

    /**
     * @param {"cat" | "dog"} label
     * @param {number} probability
     * @param {number} tick
     */
    #bar(label, probability, tick) {
        return html`
            <div class="row ${label}">
                <span class="name">${t(`verdict.label-${label}`)}</span>
                <div class="track" aria-hidden="true" title=${t("verdict.tick", { percent: `${Math.round(100 * tick)}%` })}>
                    <div class="fill" .style=${`width: ${100 * probability}%`}></div>
                    <div class="tick" .style=${`left: ${100 * tick}%`}></div>
                </div>
                <span class="percent">${percent(probability)}</span>
            </div>
        `;
    }
}

customElements.define("verdict-panel", VerdictPanel);
