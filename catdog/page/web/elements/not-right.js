/**
 * "Not right?": the visitor says what the photo shows, reads what fools the network, and may have it look closer.
 */
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { sentenceCode } from "../verdict.js";
import { Worded, t } from "../words.js";
import { controls } from "./controls.js";
import { download } from "./download.js";
import { icons } from "./icons.js";
import { forgetCorrections, keepCorrection, keptCorrections } from "./kept.js";
import { zipOf } from "./labels.js";

/**
 * @typedef {import("../engine/types.js").Example} Example
 * @typedef {import("./labels.js").Correction} Correction
 * @typedef {import("./labels.js").Verdict} Verdict
 * @typedef {import("./visit.js").Answer} Answer
 */

/** @type {(Verdict | "unknown")[]} */
const CHOICES = ["cat", "dog", "both", "neither", "unknown"];
const FOOLS = { drawing: "hard-drawn-dog", alike: "hard-red-panda", small: "hard-kitten-and-dog" }; // and an example of each

/** Asks for a closer look by `closer-wanted`, and for an example by `example-chosen`. */
export class NotRight extends Worded(LitElement) {
    static properties = {
        answer: { attribute: false },
        examples: { attribute: false },
        looking: { attribute: false },
        open: { state: true },
        said: { state: true },
        kept: { state: true },
        stored: { state: true },
    };

    static styles = [controls, css`
        .panel { display: grid; gap: var(--space-3); padding-top: var(--space-2); }
        .choices { display: flex; flex-wrap: wrap; gap: var(--space-2); }
        .choices legend { float: left; width: 100%; margin-bottom: var(--space-2); padding: 0; }
        .button[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
        .fools { display: grid; gap: var(--space-2); list-style: none; }
        .fools li { display: grid; grid-template-columns: 4rem 1fr; gap: var(--space-3); align-items: center; font-size: var(--text-s); }
        .fools button { padding: 0; border: 0; border-radius: var(--radius-small); overflow: hidden; background: var(--sunken); cursor: pointer; }
        .fools img { width: 4rem; height: 3rem; object-fit: cover; }
        .row { display: flex; flex-wrap: wrap; align-items: center; gap: var(--space-2); }
    `];

    constructor() {
        super();
        /** @type {Answer | null} */
        this.answer = null;
        /** @type {readonly Example[]} */
        this.examples = [];
        /** Whether a closer look is being taken. */
        this.looking = false;
        this.open = false;
        /** @type {Verdict | "unknown" | null} what the visitor has said of this answer */
        this.said = null;
        /** @type {Correction[]} */
        this.kept = [];
        /** Whether the browser keeps corrections; where it refuses, they last as long as the page. */
        this.stored = true;
    }

    /** @param {Map<string, any>} changed */
    willUpdate(changed) {
        if (!changed.has("answer") || changed.get("answer")?.id === this.answer?.id) return;
        this.open = false;
        this.said = null;
    }

    render() {
        if (!this.answer) return nothing;
        return html`
            <button type="button" class="button not-right" aria-expanded=${this.open} aria-controls="panel" @click=${this.#toggle}>
                ${t("correct.not-right")}</button>
            <div id="panel" class="panel" ?hidden=${!this.open}>
                <fieldset class="choices"><legend>${t("correct.question")}</legend>
                    ${CHOICES.map((choice) => html`<button type="button" class="button" aria-pressed=${this.said === choice}
                        @click=${() => this.#say(choice)}>${t(`correct.${choice}`)}</button>`)}
                </fieldset>
                ${this.said ? this.#thanks() : nothing}
                ${this.#closer(this.answer)}
                ${this.kept.length ? this.#corrections() : nothing}
            </div>`;
    }

    #thanks() {
        return html`
            <p class="thanks" role="status">${t(this.#thanksCode())}</p>
            <p>${t("correct.fools")}</p>
            <ul class="fools">${Object.entries(FOOLS).map(([name, id]) => this.#fool(name, this.examples.find((each) => each.id === id)))}</ul>`;
    }

    #thanksCode() {
        if (this.said === "unknown") return "correct.thanks-unknown";
        return this.stored ? "correct.thanks" : "correct.not-kept";
    }

    /**
     * @param {string} name
     * @param {Example} [example]
     */
    #fool(name, example) {
        return html`<li>
            ${example ? html`<button type="button" @click=${() => this.#tell("example-chosen", { example })}>
                <img src=${example.thumb} alt=${t("correct.try", { what: t(`photo.example-${example.id}`) })} width="64" height="48"></button>` : html`<span></span>`}
            <span>${t(`correct.fool-${name}`)}</span></li>`;
    }

    /** @param {Answer} answer */
    #closer({ closer, explanation }) {
        if (closer) {
            const code = closer.verdict === explanation.prediction.verdict ? "correct.same" : "correct.other";
            return html`<p class="closer">${t(code, { sentence: t(sentenceCode(closer)) })}</p>`;
        }
        return html`<div class="row">
            <button type="button" class="button" ?disabled=${this.looking} @click=${() => this.#tell("closer-wanted")}>
                ${this.looking ? html`<span class="spinner" aria-hidden="true"></span>` : icons.look}${t("correct.closer")}</button>
            <span class="small soft">${t("correct.closer-text")}</span></div>`;
    }

    #corrections() {
        return html`<div class="row">
            <button type="button" class="button" @click=${this.#save}>${icons.save}${t("correct.save", { count: this.kept.length })}</button>
            <button type="button" class="button quiet" @click=${this.#forget}>${t("correct.forget")}</button>
            <span class="small soft">${t("correct.kept")}</span></div>`;
    }

    async #toggle() {
        this.open = !this.open;
        const kept = this.open ? await keptCorrections() : [];
        if (kept.length) this.kept = kept;
    }

    /** @param {Verdict | "unknown"} choice */
    async #say(choice) {
        const { answer } = this;
        if (!answer) return;
        this.said = choice;
        if (choice === "unknown") return;
        const correction = { id: answer.id, file: answer.file, name: answer.name, label: choice, at: Date.now() };
        this.kept = [...this.kept.filter(({ id }) => id !== answer.id), correction];
        this.stored = await keepCorrection(correction);
    }

    async #save() {
        download(await zipOf(this.kept), "catdog-corrections.zip");
    }

    async #forget() {
        await forgetCorrections();
        this.kept = [];
    }

    /**
     * @param {string} name
     * @param {object} [detail]
     */
    #tell(name, detail) {
        this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
    }
}

customElements.define("not-right", NotRight);
