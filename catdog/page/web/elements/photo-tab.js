/** The photo tab: a photo in; out comes whether there is a cat or a dog in it, and where. */
import { current } from "../current.js";
import { EngineError, engine } from "../engine/index.js";
import { LitElement, html, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { ask, draw, fetchFile, patiently } from "./asking.js";
import { controls } from "./controls.js";
import { keepLast, lastKept } from "./kept.js";
import { style } from "./photo-style.js";
import { Visit } from "./visit.js";
import "./example-strip.js";
import "./photo-source.js";

/**
 * @typedef {import("../engine/types.js").About} About
 * @typedef {import("../engine/types.js").Example} Example
 * @typedef {import("../engine/types.js").Explanation} Explanation
 * @typedef {import("./asking.js").Picture} Picture
 * @typedef {import("./visit.js").Answer} Answer
 * @typedef {{file: Blob, name: string, example: string | null}} Photo
 */

/** What shows an answer is fetched once the page can be used: the first page stays small. */
const answering = () => Promise.all([import("../verdict.js"), import("./photo-answer.js"), import("./not-right.js")]);
const FINER = 2; // times the usual size of the network's input

/** The one place that knows what is shown; its parts tell it what the visitor wants. */
export class PhotoTab extends Worded(LitElement) {
    static properties = {
        about: { state: true },
        answer: { state: true },
        picture: { state: true },
        waiting: { state: true },
        problem: { state: true },
        closer: { state: true },
        describe: { state: true },
    };

    static styles = [controls, style];

    #visit = new Visit(history);
    #asked = new AbortController(); // what is asked just now; a newer wish ends it
    /** @type {string | null} the id of the answer that is being drawn anew */
    #drawn = null;
    #onPopState = () => this.#walk();

    constructor() {
        super();
        /** @type {About | null} */
        this.about = null;
        /** @type {Answer | null} the one that is shown */
        this.answer = null;
        /** @type {Picture | null} of that answer */
        this.picture = null;
        /** @type {(Photo & {picture: Picture | null}) | null} the one that is asked about */
        this.waiting = null;
        /** @type {{code: string, name: string, again: (() => void) | null} | null} */
        this.problem = null;
        /** Whether a closer look is being taken. */
        this.closer = false;
        this.active = false;
        /** @type {typeof import("../verdict.js").describe | null} */
        this.describe = null;
    }

    connectedCallback() {
        super.connectedCallback();
        window.addEventListener("popstate", this.#onPopState);
        this.#start();
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        window.removeEventListener("popstate", this.#onPopState);
    }

    /** @param {File[]} files dropped or pasted anywhere */
    take([file]) {
        this.#answer({ file, name: file.name, example: null });
    }

    /** @param {{file: Blob, name: string, explanation?: Explanation}} photo from another tab */
    open({ file, name, explanation }) {
        this.#answer({ file, name, example: null }, { given: explanation, entry: "mark" });
    }

    shown() {
        this.active = true;
        if (this.#visit.shown === undefined) this.#visit.mark(this.answer?.id ?? null);
    }

    left() {
        this.active = false;
    }

    render() {
        const showing = Boolean(this.answer || this.waiting);
        return html`
            <div class=${showing ? "tab showing" : "tab"} aria-busy=${this.waiting ? "true" : "false"}>
                ${showing ? html`<h1 class="visually-hidden">${t("photo.heading")}</h1>` : html`<div class="welcome"><h1>${t("photo.heading")}</h1><p>${t("photo.lead")}</p></div>`}
                ${showing ? html`<div class="stage">${this.#answered()}</div>` : html`<div class="stage"><demo-stage .examples=${this.about?.examples ?? []}></demo-stage></div>`}
                ${this.#problem()}
                <photo-source ?again=${showing} @photo-chosen=${(/** @type {CustomEvent} */ event) => this.take(event.detail.files)}></photo-source>
                <example-strip .examples=${this.about?.examples ?? []} .chosen=${this.answer?.example ?? null}
                    @example-chosen=${(/** @type {CustomEvent} */ event) => this.#example(event.detail.example)}></example-strip>
            </div>
            ${this.#caveat()}
            <p class="visually-hidden" role="status">${this.#said()}</p>`;
    }

    #answered() {
        const { answer, waiting } = this;
        return html`
            ${waiting ? html`<div class="progress" aria-hidden="true"></div>` : nothing}
            <photo-answer .answer=${answer} .picture=${answer ? this.picture : (waiting?.picture ?? null)}
                .next=${answer ? waiting : null} @finer-wanted=${this.#lookFiner}>
                <not-right .answer=${answer} .examples=${this.about?.examples ?? []} .looking=${this.closer}
                    @closer-wanted=${this.#lookCloser}
                    @example-chosen=${(/** @type {CustomEvent} */ event) => this.#example(event.detail.example)}></not-right>
            </photo-answer>`;
    }

    #problem() {
        const { problem } = this;
        if (!problem) return nothing;
        const { code, name, again } = problem;
        return html`<div class="problem" role="alert">
            <p>${name ? html`<b>${name}</b> ` : nothing}${t(`problem.${code}`)}</p>
            ${again ? html`<button type="button" class="button" @click=${again}>${t("photo.again")}</button>` : nothing}
            <button type="button" class="button quiet" @click=${() => { this.problem = null; }}>${t("photo.dismiss")}</button>
        </div>`;
    }

    /** What the loaded checkpoint cannot say. */
    #caveat() {
        const { about } = this;
        if (!about || (about.head === "binary" && about.negatives)) return nothing;
        return html`<p class="caveat">${t(about.head === "softmax" ? "photo.softmax" : "photo.made-negatives")}</p>`;
    }

    /** What a screen reader is told, once for each answer. */
    #said() {
        if (!this.answer || !this.describe) return "";
        const { explanation, closer } = this.answer;
        return this.describe(closer ? { ...explanation, prediction: closer } : explanation, t);
    }

    /** Fetches what shows an answer. */
    async #prepare() {
        try {
            [{ describe: this.describe }] = await answering();
        } catch {
            throw new EngineError("offline");
        }
    }

    /** What the engine is, and its examples: the page works without, and asks again after each answer. */
    async #learn() {
        this.about ??= await engine.about().catch(() => null);
    }

    async #start() {
        const learned = this.#learn();
        const last = await lastKept();
        if (last && !this.answer && !this.waiting) { // or the visitor was quicker
            this.#visit.keep(last);
            if (this.active) this.#visit.mark(last.id);
            await this.#showKept(last);
        }
        await learned; // first what the page is used with, then what an answer is shown with
        this.#prepare().catch(() => null); // it is tried again with the first answer
        import("./demo-stage.js").catch(() => null);
    }

    /** @param {Example} example */
    async #example(example) {
        const photo = { file: new Blob(), name: "", example: example.id };
        await this.#answer(photo, { fetched: example.photo });
    }

    /**
     * Has a photo answered; until its answer is drawn, the one before stays.
     * @param {Photo} photo
     * @param {{given?: Explanation, fetched?: string, entry?: "push" | "mark"}} [options] `fetched` is its address, instead
     *   of a file
     */
    async #answer(photo, options = {}) {
        const { given, fetched, entry = "push" } = options;
        const again = () => this.#answer(photo, options);
        const signal = this.#next();
        this.problem = null;
        this.waiting = { ...photo, picture: null };
        if (this.getBoundingClientRect().top < 0) window.scrollTo({ top: 0 }); // the stage, on a phone, from the examples
        try {
            const file = fetched ? await fetchFile(fetched, signal) : photo.file;
            const onPicture = (/** @type {Picture} */ picture) => { this.waiting = { ...photo, picture }; };
            const { picture, explanation } = given
                ? { picture: await draw(file, given, signal), explanation: given }
                : await ask(file, signal, onPicture);
            await this.#prepare();
            signal.throwIfAborted();
            const answer = this.#visit.add({ ...photo, file, explanation });
            this.#visit[entry](answer.id);
            this.#show(answer, picture);
            this.#learn();
            keepLast(answer);
        } catch (error) {
            this.#fail(error, signal, photo.name, again);
        }
    }

    /** Ends what is asked, and starts anew. */
    #next() {
        this.#asked.abort();
        this.#asked = new AbortController();
        this.#drawn = null;
        this.closer = false;
        return this.#asked.signal;
    }

    /**
     * @param {Answer | null} answer
     * @param {Picture | null} picture
     */
    #show(answer, picture) {
        this.#drawn = null;
        this.waiting = null;
        this.answer = answer;
        this.picture = picture;
        current.photo = answer && { file: answer.file, name: answer.name, explanation: answer.explanation };
    }

    /**
     * @param {unknown} error
     * @param {AbortSignal} signal of what failed
     * @param {string} [name] of the file
     * @param {(() => void) | null} [again] tries it again
     */
    #fail(error, signal, name = "", again = null) {
        if (signal.aborted) return; // something newer is on its way
        this.#drawn = null;
        this.waiting = null;
        this.closer = false;
        this.problem = { code: error instanceof EngineError ? error.code : "failed", name, again };
        if (!(error instanceof EngineError)) throw error;
    }

    /** Back and Forward: shows the answer of the history's entry. */
    #walk() {
        const answer = this.#visit.shown;
        if (answer === undefined || (answer?.id ?? null) === (this.#drawn ?? this.answer?.id ?? null)) return;
        if (answer) {
            this.#showKept(answer);
        } else {
            this.#next();
            this.problem = null;
            this.#show(null, null);
        }
    }

    /** @param {Answer} answer of this visit */
    async #showKept(answer) {
        const signal = this.#next();
        this.#drawn = answer.id;
        try {
            const picture = await draw(answer.file, answer.explanation, signal);
            await this.#prepare();
            signal.throwIfAborted();
            this.problem = null;
            this.#show(answer, picture);
            keepLast(answer);
        } catch (error) {
            this.#fail(error, signal);
        }
    }

    /** A map from a picture twice as large. */
    async #lookFiner() {
        const { answer } = this;
        if (!answer || !this.about) return;
        const { signal } = this.#asked;
        const size = FINER * this.about.input_size;
        try {
            const finer = await patiently(() => engine.explain(answer.file, { size, signal }), signal);
            if (this.answer?.id !== answer.id) return;
            this.answer = { ...this.answer, finer };
            this.#visit.keep(this.answer);
        } catch (error) {
            this.#fail(error, signal);
        }
    }

    async #lookCloser() {
        const { answer, picture } = this;
        if (!answer || !picture || this.closer) return;
        const { signal } = this.#asked;
        this.closer = true;
        try {
            const explain = (/** @type {Blob} */ crop) => patiently(() => engine.explain(crop, { signal }), signal);
            const { lookCloser } = await import("./closer.js");
            const closer = await lookCloser(picture, answer.explanation, explain);
            this.closer = false;
            if (this.answer?.id !== answer.id) return;
            this.answer = { ...this.answer, closer };
            this.#visit.keep(this.answer);
            keepLast(this.answer);
        } catch (error) {
            this.#fail(error, signal);
        }
    }
}

customElements.define("photo-tab", PhotoTab);
