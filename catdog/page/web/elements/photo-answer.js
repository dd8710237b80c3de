/** An answer: the picture with its evidence, the verdict, and what may be done with both. */
import { PAIRS, STRENGTH } from "../evidence.js";
import { mine } from "../pets/mine.js";
import { LitElement, css, html, live, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { answerJson } from "./answer-json.js";
import { controls } from "./controls.js";
import { download } from "./download.js";
import { icons } from "./icons.js";
import "./evidence-view.js";
import "./pet-line.js";
import "./share-dialog.js";
import "./verdict-panel.js";

/**
 * @typedef {import("../engine/types.js").Explanation} Explanation
 * @typedef {import("./visit.js").Answer} Answer
 * @typedef {"cat" | "dog" | "both" | "difference" | "photo"} Show
 */

/** @type {Show[]} */
const SHOWS = ["both", "cat", "dog", "difference", "photo"];
const COLORS = /** @type {const} */ ([0, 1, 2]); // pairs of them
const SHARED = 1350; // px, the longer side of the picture on a card

/**
 * Without an `answer` it shows the `picture` that is waited for; with one, what is waited for `next` is small in a corner.
 * Asks for a finer map by `finer-wanted`. What stands in its slot comes under the verdict.
 */
export class PhotoAnswer extends Worded(LitElement) {
    static properties = {
        answer: { attribute: false },
        picture: { attribute: false },
        next: { attribute: false },
        show: { state: true },
        boxes: { state: true },
        opacity: { state: true },
        colors: { state: true },
        finer: { state: true },
        found: { state: true },
    };

    static styles = [controls, css`
        :host { display: grid; gap: var(--space-4) var(--space-6); grid-template: "picture verdict" auto "picture actions" 1fr / minmax(0, 3fr) minmax(0, 2fr); }
        .picture { grid-area: picture; align-self: start; position: sticky; top: var(--space-3); display: grid; gap: var(--space-3); align-content: start; min-width: 0; }
        .frame { position: relative; }
        evidence-view { --max-height: min(42rem, calc(100dvh - 14rem)); }
        .verdict { grid-area: verdict; min-height: 7.5rem; }
        .unanswered { visibility: hidden; } /* it keeps the place of what an answer brings */
        .next {
            position: absolute; z-index: 1; top: var(--space-2); left: var(--space-2); display: flex; align-items: center; gap: var(--space-2);
            padding: var(--space-1) var(--space-3) var(--space-1) var(--space-1); border-radius: var(--radius); background: var(--raised);
            box-shadow: var(--shadow); font-size: var(--text-s); animation: arrive var(--motion) 0.25s backwards;
        }
        .next evidence-view { --max-height: 3rem; width: 4rem; }
        .waiting { font-size: var(--text-l); color: var(--ink-soft); }
        .actions {
            grid-area: actions; position: relative; display: grid; gap: var(--space-3); align-content: start;
            min-width: 0; min-height: 12rem;
        }
        .share { position: absolute; top: 0; right: 0; }
        .view { display: flex; flex-wrap: wrap; align-items: center; gap: var(--space-2) var(--space-3); }
        .row { display: flex; flex-wrap: wrap; gap: var(--space-2); }
        .hint { color: var(--ink-soft); font-size: var(--text-s); }
        .further { gap: 0 var(--space-5); min-height: var(--target); margin-right: min(8.5rem, 33%); } /* beside what is shared */
        .further .button { padding-inline: 0; color: var(--ink-soft); font-weight: 500; text-align: start; }
        pet-line { margin-top: var(--space-3); }
        .arrives { animation: arrive var(--motion) ease-out; }
        @keyframes arrive { from { opacity: 0; } }
        .settings { display: grid; gap: var(--space-1); }
        dl { display: grid; gap: var(--space-2); font-size: var(--text-s); }
        @media (max-width: 44rem) {
            :host { gap: var(--space-2); grid-template: "verdict" auto "picture" auto "actions" auto / minmax(0, 1fr); }
            .picture { position: static; }
            .verdict { min-height: 7.5rem; padding-bottom: var(--space-2); }
            .verdict { --text-xl: 1.5rem; } /* the longest sentence takes two lines, most take one */
            evidence-view { --max-height: max(10rem, 100dvh - 20rem); }
            .segments { display: flex; width: 100%; }
            .segments span { padding-inline: var(--space-1); font-size: var(--text-s); }
        }
    `];

    constructor() {
        super();
        /** @type {Answer | null} */
        this.answer = null;
        /** @type {ImageBitmap | HTMLImageElement | null} */
        this.picture = null;
        /** @type {{picture: ImageBitmap | HTMLImageElement | null} | null} */
        this.next = null;
        /** @type {Show} */
        this.show = "both";
        this.boxes = true;
        this.opacity = STRENGTH;
        /** @type {0 | 1 | 2} */
        this.colors = 0;
        this.finer = false;
        /** @type {Explanation | null} what is drawn */
        this.explanation = null;
        /** @type {import("../pets/pets.js").Recognition | null} the visitor's own pet that is most like it */
        this.found = null;
    }

    connectedCallback() {
        super.connectedCallback();
        mine.addEventListener("change", this.#recognize);
        mine.openKept();
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        mine.removeEventListener("change", this.#recognize);
    }

    #recognize = () => { this.found = this.answer && mine.recognized(this.answer.explanation); };

    /** The picture as it is shown, drawn anew. @param {number} maxSide px */
    toCanvas(maxSide) {
        return /** @type {any} */ (this.renderRoot.querySelector("evidence-view")).toCanvas(maxSide);
    }

    /** @param {Map<string, any>} changed */
    willUpdate(changed) {
        if (changed.has("answer")) this.explanation = this.answer && named(this.answer);
        if (changed.has("answer")) this.#recognize();
        if (changed.has("answer") && changed.get("answer")?.id !== this.answer?.id) this.finer = false; // it is another photo's
    }

    render() {
        const { answer } = this;
        return html`
            <div class="verdict">${answer ? this.#verdict(answer) : html`<p class="waiting">${t("photo.looking")}</p>`}</div>
            <div class="picture">
                <div class="frame">
                    <evidence-view .picture=${this.picture} .explanation=${this.explanation} .show=${this.show}
                        .boxes=${this.boxes} .opacity=${this.opacity} .colors=${this.colors} readable
                        .finer=${(this.finer && answer?.finer) || null} .pets=${this.#pets()}></evidence-view>
                    ${this.next ? this.#next() : nothing}
                </div>
                ${this.#view()}
            </div>
            <div class="actions">${answer ? this.#more(answer) : nothing}</div>
            <share-dialog></share-dialog>`;
    }

    /** What the pets in the picture are called, where they are the visitor's own. */
    #pets() {
        const { found } = this;
        return found?.known ? { [found.label]: found.name } : {};
    }

    /** @param {Answer} answer */
    #verdict(answer) {
        const { explanation, closer } = answer;
        return html`<div class="arrives">
            <verdict-panel .prediction=${closer ?? explanation.prediction} .thresholds=${explanation.thresholds}></verdict-panel>
            ${this.found ? html`<pet-line .answer=${answer} .picture=${this.picture} .found=${this.found}></pet-line>` : nothing}
        </div>`;
    }

    /** The photo that comes next: the one that is there stays until then. */
    #next() {
        return html`<div class="next"><evidence-view .picture=${this.next?.picture ?? null} .boxes=${false}></evidence-view>
            <span>${t("photo.looking")}</span></div>`;
    }

    #view() {
        return html`<div class=${this.answer ? "view" : "view unanswered"}>
            <fieldset class="segments">
                <legend class="visually-hidden">${t("photo.show")}</legend>
                ${SHOWS.map((each) => html`<label><input type="radio" name="show" value=${each} .checked=${live(this.show === each)}
                    @change=${() => { this.show = each; }}><span>${t(`photo.show-${each}`)}</span></label>`)}
            </fieldset>
            <label class="toggle"><input type="checkbox" role="switch" .checked=${live(this.boxes)}
                @change=${() => { this.boxes = !this.boxes; }}><span>${t("photo.boxes")}</span></label>
            <button type="button" class="button quiet icon" aria-label=${t("photo.full-screen")} title=${t("photo.full-screen")}
                @click=${this.#fullScreen}>${icons.fullScreen}</button>
        </div>`;
    }

    /** @param {Answer} answer */
    #more(answer) {
        return html`
            <button type="button" class="button share" @click=${() => this.#share(answer)}>${icons.share}${t("share.share")}</button>
            <div class="row further">${this.found ? nothing : this.#invitation(answer)}
                <a class="button quiet" href="#inside">${icons.inside}${t("photo.inside")}</a></div>
            <slot></slot>
            <details class="fold more"><summary>${t("photo.more")}</summary>
                <div class="settings">
                    <label class="slider"><span>${t("photo.opacity")}</span><input type="range" min="0" max="1" step="0.05"
                        .value=${live(String(this.opacity))} @input=${this.#setOpacity}></label>
                    <fieldset class="segments">
                        <legend class="visually-hidden">${t("photo.colors")}</legend>
                        ${COLORS.map((pair) => html`<label><input type="radio" name="colors" .checked=${live(this.colors === pair)}
                            @change=${() => { this.colors = pair; }}><span>${colorNames(pair)}</span></label>`)}
                    </fieldset>
                    <label class="toggle"><input type="checkbox" role="switch" .checked=${live(this.finer)}
                        @change=${this.#toggleFiner}><span>${t("photo.finer")}</span></label>
                    <div class="row">
                        <button type="button" class="button copy-json" @click=${() => this.#copyJson(answer)}>${icons.copy}${t("photo.copy-json")}</button>
                        <button type="button" class="button save-json" @click=${() => saveJson(answer)}>${icons.save}${t("photo.save-json")}</button>
                    </div>
                </div>
            </details>`;
    }

    /**
     * To teach it the pet in the picture.
     * @param {Answer} answer
     */
    #invitation({ file, name, example, explanation }) {
        const { verdict } = explanation.prediction;
        if (example || verdict === "neither" || verdict === "both") return nothing;
        const files = [file instanceof File ? file : new File([file], name, { type: file.type })];
        const teach = () => this.dispatchEvent(new CustomEvent("teach-pet", { detail: { files }, bubbles: true, composed: true }));
        return html`<button type="button" class="button quiet teach" @click=${teach}>${icons.pets}${t(`pets.teach-${verdict}`)}</button>`;
    }

    #fullScreen() {
        /** @type {any} */ (this.renderRoot.querySelector("evidence-view")).fullScreen();
    }

    /** @param {Answer} answer */
    #share({ explanation, closer }) {
        const dialog = /** @type {any} */ (this.renderRoot.querySelector("share-dialog"));
        dialog.show(this.toCanvas(SHARED), closer ?? explanation.prediction, this.colors);
    }

    /** @param {Event} event */
    #setOpacity({ target }) {
        this.opacity = Number(/** @type {HTMLInputElement} */ (target).value);
    }

    #toggleFiner() {
        this.finer = !this.finer;
        if (this.finer && !this.answer?.finer) this.dispatchEvent(new CustomEvent("finer-wanted", { bubbles: true, composed: true }));
    }

    /** @param {Answer} answer */
    async #copyJson({ explanation }) {
        let code = "photo.copied";
        try {
            await navigator.clipboard.writeText(answerJson(explanation));
        } catch {
            code = "photo.not-copied";
        }
        this.dispatchEvent(new CustomEvent("notice", { detail: { text: t(code) }, bubbles: true, composed: true }));
    }
}

/**
 * The explanation with boxes of what the closer look still names, where one was taken.
 * @param {Answer} answer
 */
function named({ explanation, closer }) {
    if (!closer || closer.verdict === explanation.prediction.verdict) return explanation;
    const box = (/** @type {"cat" | "dog"} */ label) => (["both", label].includes(closer.verdict) ? explanation.boxes[label] : null);
    return { ...explanation, prediction: closer, boxes: { cat: box("cat"), dog: box("dog") } };
}

/** @param {0 | 1 | 2} pair */
function colorNames(pair) {
    const { cat, dog } = PAIRS[pair].names;
    return t("photo.pair", { cat: t(`view.color-${cat}`), dog: t(`view.color-${dog}`) });
}

/** @param {Answer} answer */
function saveJson({ explanation }) {
    const blob = new Blob([answerJson(explanation)], { type: "application/json" });
    download(blob, `catdog-${explanation.prediction.verdict}.json`);
}

customElements.define("photo-answer", PhotoAnswer);
