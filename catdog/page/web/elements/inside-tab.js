/** The inside tab: a tour in eight steps along one photo's way through the network, and other methods' maps. */
import { current } from "../current.js";
import { EngineError, engine } from "../engine/index.js";
import { LitElement, html, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { ask, draw, patiently } from "./asking.js";
import { controls } from "./controls.js";
import { exampleFile } from "./example-strip.js";
import { insideStyle } from "./inside-style.js";
import { block, methods, stages } from "./inside-parts.js";
import "./code-lines.js";
import "./tour-end.js";
import "./tour-erase.js";
import "./tour-size.js";
import "./tour-strip.js";
import "./tour-sum.js";
import "./tour-weights.js";

/**
 * @typedef {import("../engine/types.js").Example} Example
 * @typedef {import("../engine/types.js").Explanation} Explanation
 * @typedef {import("../engine/types.js").Label} Label
 * @typedef {{file: Blob, name: string, example: string | null, explanation: Explanation | null}} Photo
 */

const STEPS = /** @type {const} */ (["size", "strip", "block", "sum", "erase", "weights", "fools", "teach"]);

export class InsideTab extends Worded(LitElement) {
    static styles = [controls, insideStyle];
    static properties = {
        about: { state: true },
        photo: { state: true },
        picture: { state: true },
        label: { state: true },
        layers: { state: true },
        stages: { state: true },
        problem: { state: true },
        method: { state: true },
        stage: { state: true },
        result: { state: true },
        running: { state: true },
        blockStage: { state: true },
    };

    #asked = new AbortController(); // what is asked about the photo; another photo or label ends it
    #run = new AbortController(); // the method that is computed
    /** @type {Blob | null} the photo tab's, last time it was looked at */
    #seen = null;

    constructor() {
        super();
        /** @type {import("../engine/types.js").About | null} */
        this.about = null;
        /** @type {Photo | null} */
        this.photo = null;
        /** @type {ImageBitmap | HTMLImageElement | null} */
        this.picture = null;
        /** @type {Label} */
        this.label = "cat";
        /** @type {import("../engine/types.js").Layers | null} */
        this.layers = null;
        /** @type {any} the engine's answer for the label */
        this.stages = null;
        /** @type {{code: string, again: () => void} | null} */
        this.problem = null;
        /** @type {string | null} chosen among other methods */
        this.method = null;
        this.stage = 4;
        /** @type {any} what the method gave, or `{stopped: true}` */
        this.result = null;
        /** @type {number | null} how far the method is, from 0 to 1 */
        this.running = null;
        this.blockStage = 2; // fine enough to look at, coarse enough to see its pixels
    }

    /** Takes the photo that was answered last, or else the first example: there is always something to see. */
    async shown() {
        const photo = current.photo;
        if (photo && photo.file !== this.#seen) {
            this.#seen = photo.file;
            this.open({ ...photo, example: null });
        } else if (!photo && this.#seen) {
            this.#seen = null;
            this.photo = null; // it was removed
        }
        this.about ??= await engine.about().catch(() => null);
        if (!this.photo && this.about) this.openExample(this.about.examples[0]);
    }

    left() {
        this.#run.abort();
    }

    /** @param {File[]} files dropped or pasted anywhere */
    take([file]) {
        this.open({ file, name: file.name, example: null, explanation: null });
    }

    /** @param {Example} example */
    async openExample(example) {
        const signal = this.#begin({ file: new Blob(), name: example.id, example: example.id, explanation: null });
        try {
            const file = await exampleFile(example, signal);
            this.open({ file, name: file.name, example: example.id, explanation: null });
        } catch {
            this.#fail(new EngineError("offline"), signal, () => this.openExample(example));
        }
    }

    /** @param {Photo} photo */
    async open(photo) {
        const signal = this.#begin(photo);
        try {
            const { file, explanation: given } = photo;
            const onPicture = (/** @type {ImageBitmap | HTMLImageElement} */ picture) => { this.picture = picture; };
            const { picture, explanation } = given
                ? { picture: await draw(file, given, signal), explanation: given }
                : await ask(file, signal, onPicture);
            this.picture = picture;
            this.photo = { ...photo, explanation };
            this.label = explanation.prediction.cat >= explanation.prediction.dog ? "cat" : "dog";
            const layers = await patiently(() => engine.inside("layers", file, { signal }), signal);
            signal.throwIfAborted();
            this.layers = layers;
            await this.#askStages(signal);
        } catch (error) {
            this.#fail(error, signal, () => this.open(photo));
        }
    }

    /** @param {Label} label */
    async chooseLabel(label) {
        const { method } = this;
        this.label = label;
        const signal = this.#next();
        this.stages = this.stages && { ...this.stages, old: true }; // shown until the others are there
        try {
            await this.#askStages(signal);
            if (method) this.runMethod(method, this.stage);
        } catch (error) {
            this.#fail(error, signal, () => this.chooseLabel(label));
        }
    }

    /** @param {string} method @param {number} stage */
    async runMethod(method, stage) {
        if (!this.photo) return;
        this.#run.abort();
        const run = (this.#run = new AbortController()), { signal } = run;
        Object.assign(this, { method, stage, result: null, running: 0, problem: null });
        const onShare = (/** @type {number} */ share) => { if (!signal.aborted) this.running = share; };
        try {
            const wish = { method, stage, label: this.label, signal, onShare };
            const { file } = this.photo;
            const result = await patiently(() => engine.inside("methods", file, wish), signal);
            if (!signal.aborted) Object.assign(this, { result, running: null });
        } catch (error) {
            if (run !== this.#run) return; // another is running
            this.running = null;
            if (signal.aborted) this.result = { stopped: true };
            else this.#fail(error, signal, () => this.runMethod(method, stage));
        }
    }

    stopMethod() {
        this.#run.abort();
    }

    /** @param {AbortSignal} signal */
    async #askStages(signal) {
        if (engine.where === "device") return; // it has no gradients
        const { file } = /** @type {Photo} */ (this.photo);
        const answer = await patiently(() => engine.inside("stages", file, { label: this.label, signal }), signal);
        if (!signal.aborted) this.stages = answer;
    }

    /** Another photo: nothing that is shown is of it. @param {Photo} photo */
    #begin(photo) {
        const signal = this.#next();
        Object.assign(this, { photo, picture: null, layers: null, stages: null, method: null, result: null });
        return signal;
    }

    /** Ends what is asked, and starts anew. */
    #next() {
        this.#asked.abort();
        this.#run.abort();
        this.#run = new AbortController();
        this.#asked = new AbortController();
        Object.assign(this, { problem: null, running: null });
        return this.#asked.signal;
    }

    /** @param {unknown} error @param {AbortSignal} signal of what failed @param {() => void} again */
    #fail(error, signal, again) {
        if (signal.aborted) return;
        this.problem = { code: error instanceof EngineError ? error.code : "failed", again };
    }

    render() {
        const { photo, picture, about } = this;
        return html`
            <h1 tabindex="-1">${t("inside.heading")}</h1>
            <p class="lead soft">${t("inside.lead")}</p>
            <example-strip .examples=${about?.examples ?? []} .chosen=${photo?.example ?? null}
                @example-chosen=${(/** @type {CustomEvent} */ event) => this.openExample(event.detail.example)}></example-strip>
            ${this.#renderProblem()}
            ${photo?.explanation && picture ? this.#renderTour(photo, photo.explanation) : this.#renderWaiting()}
            ${this.stages && picture ? this.#renderMethods() : nothing}
        `;
    }

    /**
     * @param {Photo} photo
     * @param {Explanation} explanation
     */
    #renderTour({ file }, explanation) {
        const { about, picture, layers } = this;
        const calibration = about?.calibration ?? null;
        const steps = {
            size: html`<tour-size .file=${file} .picture=${picture} .usual=${about?.input_size ?? 0}></tour-size><code-lines of="size"></code-lines>`,
            strip: layers ? html`<tour-strip .picture=${picture} .explanation=${explanation} .calibration=${calibration} .layers=${layers}></tour-strip>
                <code-lines of="strip"></code-lines>` : this.#renderWaiting(),
            block: layers ? html`${block(this)}<code-lines of="block"></code-lines>` : this.#renderWaiting(),
            sum: html`<tour-sum .picture=${picture} .explanation=${explanation} .calibration=${calibration}></tour-sum><code-lines of="sum"></code-lines>`,
            erase: html`<tour-erase .picture=${picture} .explanation=${explanation}></tour-erase>`,
            weights: html`<tour-weights .file=${layers ? file : null} .picture=${picture}></tour-weights><code-lines of="weights"></code-lines>`,
            fools: html`<tour-fools .examples=${about?.examples ?? []} @example-chosen=${this.#startOver}></tour-fools>`,
            teach: html`<tour-teach .signature=${explanation.signature ?? null}></tour-teach><code-lines of="teach"></code-lines>`,
        };
        return html`
            <nav class="steps" aria-label=${t("tour.steps")}>${STEPS.map((step, index) => html`<button type="button" class="button" @click=${() => this.#goTo(step)}>
                <b>${index + 1}</b> ${t(headingOf(step))}</button>`)}</nav>
            ${STEPS.map((step, index) => html`<section aria-labelledby=${step}><h2 id=${step} tabindex="-1"><span class="step">${index + 1}</span> ${t(headingOf(step))}</h2>${steps[step]}</section>`)}`;
    }

    /** @param {typeof STEPS[number]} step */
    #goTo(step) {
        const heading = /** @type {HTMLElement} */ (this.renderRoot.querySelector(`#${step}`));
        heading.scrollIntoView();
        heading.focus({ preventScroll: true });
    }

    /** @param {CustomEvent} event */
    async #startOver({ detail }) {
        const heading = /** @type {HTMLElement} */ (this.renderRoot.querySelector("h1"));
        heading.scrollIntoView();
        heading.focus({ preventScroll: true });
        await this.openExample(detail.example);
    }

    #renderProblem() {
        if (!this.problem) return nothing;
        const { code, again } = this.problem;
        return html`<div class="problem" role="alert"><p>${t(`problem.${code}`)}</p>
            <button class="button" @click=${again}>${t("inside.again")}</button></div>`;
    }

    #renderWaiting() {
        if (this.problem) return nothing;
        return html`<p class="waiting soft" role="status"><span class="spinner" aria-hidden="true"></span> ${t("inside.busy")}</p>`;
    }

    #renderMethods() {
        return html`
            <section aria-labelledby="stages"><h2 id="stages">${t("inside.stages")}</h2>${stages(this)}</section>
            <section aria-labelledby="methods"><h2 id="methods">${t("inside.methods")}</h2>${methods(this)}</section>
        `;
    }
}

/** @param {typeof STEPS[number]} step */
const headingOf = (step) => (step === "block" ? "inside.block" : `tour.${step}`);

customElements.define("inside-tab", InsideTab);
