/** Under a verdict: which of the visitor's own pets that is, and one tap to say it is another. */
import { mine } from "../pets/mine.js";
import { likelier } from "../pets/pets.js";
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { controls } from "./controls.js";
import "./pet-places.js";
import { whoCode } from "./who.js";

/** @typedef {import("../engine/types.js").Explanation} Explanation */
/** @typedef {import("./visit.js").Answer} Answer */

const OFFERED = 3; // pets, one tap each; of more, the others are in a list

export class PetLine extends Worded(LitElement) {
    static properties = { answer: { attribute: false }, picture: { attribute: false }, found: { attribute: false }, done: { state: true } };

    static styles = [controls, css`
        .who { font-size: var(--text-l); font-weight: 600; overflow-wrap: anywhere; }
        .row { display: flex; flex-wrap: wrap; gap: var(--space-2); margin-top: var(--space-2); }
        .button { max-width: 100%; overflow-wrap: anywhere; }
        .done { margin-top: var(--space-2); color: var(--ink-soft); font-size: var(--text-s); overflow-wrap: anywhere; }
    `];

    constructor() {
        super();
        /** @type {Answer | null} */
        this.answer = null;
        /** @type {ImageBitmap | HTMLImageElement | null} */
        this.picture = null;
        /** @type {import("../pets/pets.js").Recognition | null} */
        this.found = null;
        /** What the visitor has said. @type {{code: string, name: string} | null} */
        this.done = null;
    }

    /** @param {Map<string, any>} changed */
    willUpdate(changed) {
        if (changed.has("answer") && changed.get("answer")?.id !== this.answer?.id) this.done = null;
    }

    render() {
        const { answer, found } = this;
        if (!answer || !found) return nothing;
        if (this.done) return html`<p class="done" role="status">${t(this.done.code, { name: this.done.name })}</p>`;
        return html`
            <p class="who">${t(whoCode(found, this.#others(found.label).length), { name: found.name })}</p>
            ${answer.explanation.prediction.verdict === "both" ? nothing : this.#choices(answer.explanation, found)}
            ${found.known ? html`<pet-places .file=${answer.file} .picture=${this.picture} .found=${found}></pet-places>` : nothing}`;
    }

    /**
     * @param {Explanation} explanation
     * @param {import("../pets/pets.js").Recognition} found
     */
    #choices(explanation, found) {
        const others = this.#others(found.label).filter((name) => !found.known || name !== found.name);
        const first = found.known ? others : [found.name, ...others.filter((name) => name !== found.name)];
        return html`<div class="row">
            ${first.slice(0, OFFERED).map((name) => html`<button type="button" class="button" @click=${() => this.#say(explanation, name)}>
                ${t("pets.it-is", { name })}</button>`)}
            ${first.length > OFFERED ? this.#rest(explanation, first.slice(OFFERED)) : nothing}
            ${found.known ? html`<button type="button" class="button quiet" @click=${() => this.#reject(explanation, found.name)}>
                ${t("pets.is-not", { name: found.name })}</button>` : nothing}
        </div>`;
    }

    /**
     * @param {Explanation} explanation
     * @param {string[]} names
     */
    #rest(explanation, names) {
        const chosen = (/** @type {Event} */ { target }) => this.#say(explanation, /** @type {HTMLSelectElement} */ (target).value);
        return html`<select aria-label=${t("pets.another")} @change=${chosen}>
            <option selected disabled value="">${t("pets.another")}</option>
            ${names.map((name) => html`<option value=${name}>${name}</option>`)}
        </select>`;
    }

    /** The names of all pets of a kind. @param {"cat" | "dog"} label */
    #others(label) {
        return [...(mine.pets?.all.values() ?? [])].filter((pet) => pet.label === label).map(({ name }) => name);
    }

    /**
     * It is that pet: this photo teaches it.
     * @param {Explanation} explanation
     * @param {string} name
     */
    #say({ prediction, signature }, name) {
        if (signature) this.#change((pets) => pets.learn(name, likelier(prediction), [signature]), { code: "pets.learned-this", name });
    }

    /**
     * It is none of them, though it was taken for one: this photo teaches that.
     * @param {Explanation} explanation
     * @param {string} name
     */
    #reject({ prediction, signature }, name) {
        if (signature) this.#change((pets) => pets.reject(likelier(prediction), signature), { code: "pets.not-it", name });
    }

    /**
     * @param {(pets: import("../pets/pets.js").Pets) => unknown} act
     * @param {{code: string, name: string}} done what is said of it
     */
    async #change(act, done) {
        this.done = done; // before the pets change, and with them who it is
        try {
            await mine.change(act);
        } catch (error) {
            this.done = null;
            const { code = "problem.failed", values } = /** @type {import("../pets/pets.js").PetError} */ (error);
            this.dispatchEvent(new CustomEvent("notice", { detail: { text: t(code, values) }, bubbles: true, composed: true }));
        }
    }
}

customElements.define("pet-line", PetLine);
