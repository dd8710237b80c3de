// <pets-tab>: the visitor's own cats and dogs, taught by a few photos each, and known again in the other tabs.
import { EngineError, engine } from "../engine/index.js";
import { mine } from "../pets/mine.js";
import { MAX_PHOTOS, PetError, isName } from "../pets/pets.js";
import { judged } from "../pets/lesson.js";
import { PICTURES } from "../pictures.js";
import { LitElement, html, nothing, repeat } from "../vendor/lit.js";
import { Worded, numbered, t } from "../words.js";
import { ask } from "./asking.js";
import { Camera } from "./camera.js";
import { controls } from "./controls.js";
import { download } from "./download.js";
import { icons } from "./icons.js";
import { look } from "./pets-style.js";
import "./evidence-view.js";

/** @typedef {import("../engine/types.js").Explanation} Explanation */
/** @typedef {import("../pets/pets.js").Pet} Pet */
/** @typedef {{file: Blob, picture: ImageBitmap | HTMLImageElement | null, explanation: Explanation | null, left: string | null}} Item
 *    a photo of a lesson; `left` why it is left out, as a code */
/** @typedef {{name: string, items: Item[], running: boolean}} Lesson */

const ENOUGH = 5; // photos, with more of which a pet is known hardly better: docs/benchmarks/pets.md
const WELL = 0.7; // of its own photos that a pet should be known on
const SMALL = 320; // px, the width of a lesson's pictures
const PAUSE = 400; // ms between two of the camera's
const MOST_HELD = 20; // photos, while the button is held

export class PetsTab extends Worded(LitElement) {
    static styles = [controls, look];
    static properties = {
        name: { state: true },
        lesson: { state: true },
        problem: { state: true },
        waiting: { state: true },
        filming: { state: true },
        held: { state: true },
        doomed: { state: true },
        ready: { state: true },
    };

    /** Several files at once are photos of one pet here. */
    several = true;
    #camera = new Camera(() => {}, (code) => this.#onCamera(code));
    #asked = new AbortController();
    #onChange = () => this.requestUpdate();

    constructor() {
        super();
        /** What the new pet is called. */
        this.name = "";
        /** @type {Lesson | null} the last one */
        this.lesson = null;
        /** @type {{code: string, values?: Record<string, string | number>} | null} */
        this.problem = null;
        /** Photos whose pet has no name yet. @type {File[]} */
        this.waiting = [];
        /** The pet that the camera is opened for. @type {string | null} */
        this.filming = null;
        this.held = false;
        /** The name of the pet that is about to be deleted. @type {string | null} */
        this.doomed = null;
        this.ready = false;
    }

    connectedCallback() {
        super.connectedCallback();
        mine.addEventListener("change", this.#onChange);
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        mine.removeEventListener("change", this.#onChange);
        this.#stopFilming();
    }

    async shown() {
        try {
            await mine.open();
            this.ready = true;
        } catch (error) {
            this.#fail(error);
        }
    }

    left() {
        this.#stopFilming();
        this.doomed = null;
    }

    /**
     * Photos, dropped, pasted, chosen or from another tab, of the pet that is named in the field; or a file of pets.
     * @param {File[]} files
     */
    take(files) {
        const [file] = files;
        if (files.length === 1 && /\.json$/i.test(file.name)) return this.#import(file);
        this.#teach(files, this.name);
    }

    /**
     * @param {File[]} files
     * @param {string} given name
     */
    async #teach(files, given) {
        const name = given.trim();
        this.problem = null;
        if (!isName(name)) {
            this.waiting = files;
            if (name) this.#fail(new PetError("pets.bad-name", { most: 60 }));
            await this.updateComplete;
            /** @type {HTMLElement} */ (this.renderRoot.querySelector("input.name")).focus();
            return;
        }
        this.waiting = [];
        const lesson = this.#begin(name);
        const { signal } = this.#asked;
        for (const file of files.slice(0, MAX_PHOTOS)) {
            await this.#look(lesson, file, signal);
            if (signal.aborted) return;
        }
        await this.#end(lesson);
    }

    /** @param {string} name */
    #begin(name) {
        this.#asked.abort();
        this.#asked = new AbortController();
        for (const { picture } of this.lesson?.items ?? []) if (picture instanceof ImageBitmap) picture.close();
        this.lesson = { name, items: [], running: true };
        return this.lesson;
    }

    /**
     * Has a photo of a lesson answered.
     * @param {Lesson} lesson
     * @param {Blob} file
     * @param {AbortSignal} signal
     */
    async #look(lesson, file, signal) {
        /** @type {Item} */
        const item = { file, picture: null, explanation: null, left: null };
        lesson.items.push(item);
        this.requestUpdate();
        try {
            const { picture, explanation } = await ask(file, signal, () => {});
            Object.assign(item, { explanation, picture: await smaller(picture) });
        } catch (error) {
            if (signal.aborted) return;
            item.left = `problem.${error instanceof EngineError ? error.code : "failed"}`;
            if (!(error instanceof EngineError)) throw error;
        } finally {
            this.requestUpdate();
        }
    }

    /** @param {Lesson} lesson */
    async #end(lesson) {
        lesson.running = false;
        try {
            const name = await mine.change((pets) => {
                const { label, reasons, signatures } = judged(pets, pets.all.get(lesson.name), lesson.items.map(({ explanation }) => explanation));
                lesson.items.forEach((item, place) => { item.left ??= reasons[place]; });
                if (!signatures.length) throw new PetError("pets.no-photo", { name: lesson.name });
                return pets.learn(lesson.name, label, signatures);
            });
            if (this.name.trim() === name) this.name = "";
        } catch (error) {
            this.#fail(error);
        }
        this.requestUpdate();
    }

    /** @param {unknown} error */
    #fail(error) {
        if (error instanceof PetError) this.problem = error;
        else if (error instanceof EngineError) this.problem = { code: `problem.${error.code}` };
        else throw error;
    }

    // ------------------------------------------------------------------ the camera

    /** @param {string} given */
    async #film(given) {
        const name = given.trim();
        if (!isName(name)) return this.#teach([], given);
        this.problem = null;
        try {
            if (await this.#camera.open()) this.filming = name;
        } catch (error) {
            this.problem = { code: `live.${/** @type {import("./camera.js").CameraError} */ (error).code}` };
        }
    }

    /** @param {string | null} code */
    #onCamera(code) {
        this.problem = code ? { code: `live.${code}` } : null;
        if (code === "unplugged") this.#stopFilming();
    }

    #stopFilming() {
        this.held = false;
        this.filming = null;
        this.#camera.close();
    }

    /** While the button is held, a photo now and then; those of one moment teach once. */
    async #hold() {
        if (this.held || !this.filming) return;
        this.held = true;
        const lesson = this.#begin(this.filming);
        const { signal } = this.#asked;
        while (this.held && lesson.items.length < MOST_HELD && !signal.aborted) {
            await this.#look(lesson, await this.#camera.photo(), signal);
            await new Promise((resolve) => setTimeout(resolve, PAUSE));
        }
        this.held = false;
        if (!signal.aborted) await this.#end(lesson);
    }

    /** @param {KeyboardEvent} event */
    #holdByKey(event) {
        if (event.repeat || (event.key !== " " && event.key !== "Enter")) return;
        event.preventDefault();
        this.#hold();
    }

    // ------------------------------------------------------------------ files of pets

    async #export() {
        const pets = await mine.open();
        download(new Blob([pets.toJson()], { type: "application/json" }), "pets.json");
    }

    /** @param {File} file */
    async #import(file) {
        this.problem = null;
        try {
            const text = await file.text();
            await mine.change((pets) => pets.read(text));
            this.lesson = null;
        } catch (error) {
            if (error instanceof DOMException) this.#fail(new EngineError("gone"));
            else this.#fail(error);
        }
    }

    /** @param {Event} event @param {(files: File[]) => void} give */
    #chosen({ target }, give) {
        const input = /** @type {HTMLInputElement} */ (target);
        const files = [...(input.files ?? [])];
        input.value = ""; // the same may be chosen again
        if (files.length) give(files);
    }

    // ------------------------------------------------------------------ what is drawn

    render() {
        const pets = [...(mine.pets?.all.values() ?? [])];
        return html`<div class="tab">
            <div class="welcome">
                <h1>${t("pets.heading")}</h1>
                <p>${t("pets.lead")} ${t(engine.where === "device" ? "pets.private-device" : "pets.private-server")}</p>
            </div>
            ${mine.outdated.length ? html`<p class="problem">${t("pets.outdated", { names: listed(mine.outdated) })}</p>` : nothing}
            ${this.#renderNew()}
            ${this.problem ? html`<p class="problem" role="alert">${t(this.problem.code, this.problem.values)}</p>` : nothing}
            ${this.filming ? this.#renderCamera(this.filming) : nothing}
            ${this.lesson?.items.length ? this.#renderLesson(this.lesson) : nothing}
            ${pets.length ? html`<ul class="pets" role="list">${repeat(pets, ({ name }) => name, (pet) => html`<li>${this.#renderPet(pet)}</li>`)}</ul>` : nothing}
            ${this.ready && !mine.stored ? html`<p class="problem">${t("pets.not-kept")}</p>` : nothing}
            ${this.ready && mine.pets && !mine.pets.bank ? html`<p class="problem">${t("pets.no-bank")}</p>` : nothing}
            <div class="row">
                ${pets.length ? html`<button class="button" @click=${this.#export}>${icons.save}<span>${t("pets.export")}</span></button>` : nothing}
                <label class="button">${icons.folder}<span>${t("pets.import")}</span><input class="visually-hidden" type="file" accept=".json,application/json"
                    @change=${(/** @type {Event} */ event) => this.#chosen(event, ([file]) => this.#import(file))}></label>
                ${pets.length ? this.#renderDelete("", "pets.clear", () => mine.change((all) => all.clear())) : nothing}
            </div>
            <details class="fold"><summary>${t("pets.how-well")}</summary><p class="soft">${t("pets.measured")}</p></details>
        </div>`;
    }

    #renderNew() {
        const { waiting } = this;
        const teach = () => { if (waiting.length) this.#teach(waiting, this.name); };
        return html`<form class="card new" @submit=${(/** @type {Event} */ event) => { event.preventDefault(); teach(); }}>
            <div class="row">
                <label class="called"><span>${t("pets.called")}</span><input class="name" autocomplete="off" maxlength="120" .value=${this.name}
                    @input=${(/** @type {Event} */ { target }) => { this.name = /** @type {HTMLInputElement} */ (target).value; }}></label>
                ${waiting.length
                    ? html`<button class="button primary" type="submit">${t(numbered("pets.teach-these", waiting.length), { count: waiting.length })}</button>`
                    : this.#renderWays(this.name, true)}
            </div>
            ${waiting.length && !this.name.trim() ? html`<p class="soft small" role="status">${t(numbered("pets.first-name", waiting.length), { count: waiting.length })}</p>` : nothing}
        </form>`;
    }

    /**
     * The ways to hand over photos of a pet.
     * @param {string} name
     * @param {boolean} main
     */
    #renderWays(name, main) {
        return html`
            <label class="button ${main ? "primary" : ""}">${icons.photo}<span>${t(main ? "pets.choose" : "pets.more")}</span>
                <input class="visually-hidden photos" type="file" multiple accept=${PICTURES}
                    @change=${(/** @type {Event} */ event) => this.#chosen(event, (files) => this.#teach(files, name))}></label>
            <button type="button" class="button film" aria-label=${t("pets.camera")} title=${t("pets.camera")} @click=${() => this.#film(name)}>${icons.camera}${main ? html`<span>${t("pets.camera")}</span>` : nothing}</button>`;
    }

    /** @param {string} name */
    #renderCamera(name) {
        return html`<div class="card camera">
            <p>${t("pets.hold-text", { name })}</p>
            ${this.#camera.video}
            <div class="row">
                <button class="button primary hold ${this.held ? "held" : ""}" @pointerdown=${this.#hold} @pointerup=${this.#release} @pointerleave=${this.#release}
                    @pointercancel=${this.#release} @keydown=${this.#holdByKey} @keyup=${this.#release} @contextmenu=${(/** @type {Event} */ event) => event.preventDefault()}>
                    ${icons.camera}<span>${t(this.held ? "pets.holding" : "pets.hold", { count: this.lesson?.items.length ?? 0 })}</span></button>
                <button class="button" @click=${this.#stopFilming}>${t("pets.done")}</button>
            </div>
        </div>`;
    }

    #release() {
        this.held = false;
    }

    /** @param {Lesson} lesson */
    #renderLesson({ name, items, running }) {
        const used = items.filter(({ explanation, left }) => explanation && !left).length;
        const told = running ? t("pets.looking", { name, count: items.length }) : t(numbered("pets.learned", used), { name, count: used });
        return html`<section class="card lesson" aria-busy=${running ? "true" : "false"}>
            <h2>${told}</h2>
            <p class="visually-hidden" role="status">${running ? nothing : told}</p>
            <ul class="photos" role="list">${items.map((item) => html`<li class=${item.left ? "out" : ""}>
                ${item.picture
                    ? html`<evidence-view .picture=${item.picture} .explanation=${item.explanation} .show=${this.#kindOf(item)} .boxes=${false}></evidence-view>`
                    : html`<div class="blank">${item.left ? icons.close : html`<span class="spinner" aria-hidden="true"></span>`}</div>`}
                ${item.left ? html`<span>${t(item.left)}</span>` : nothing}
            </li>`)}</ul>
            ${!running && used ? html`<p class="soft">${t("pets.now", { name })}</p>` : nothing}
        </section>`;
    }

    /** Which map shows what is learned. @param {Item} item */
    #kindOf({ explanation }) {
        return explanation && explanation.prediction.dog > explanation.prediction.cat ? "dog" : "cat";
    }

    /** @param {Pet} pet */
    #renderPet(pet) {
        const { name, label, signatures } = pet;
        const count = signatures.length, recalled = mine.pets?.recalled(pet) ?? null;
        const share = Math.min(1, count / ENOUGH) * (recalled === null ? 1 : recalled / count);
        return html`<div class="card pet ${label}">
            ${ring(share, count)}
            <div><h2>${name}</h2><p class="soft small">${t(`verdict.label-${label}`)} · ${t(numbered("pets.count", count), { count })}</p></div>
            <p class="said small">${recalled === null ? nothing : t("pets.recalled", { name, right: recalled, count })} ${t(adviceCode(count, recalled), { name })}</p>
            <div class="row">${this.#renderWays(name, false)} ${this.#renderDelete(name, "pets.forget", () => mine.change((all) => all.forget(name)))}</div>
        </div>`;
    }

    /**
     * A button that deletes when it is pressed twice.
     * @param {string} key
     * @param {string} code
     * @param {() => Promise<void>} act
     */
    #renderDelete(key, code, act) {
        const asking = this.doomed === key;
        const press = async () => {
            if (asking) await act(); // it is gone from the page once it is gone from what is kept
            this.doomed = asking ? null : key;
        };
        return html`<button class="button quiet delete" @click=${press} @blur=${() => { if (this.doomed === key) this.doomed = null; }}>
            ${t(asking ? "pets.really" : code)}</button>`;
    }
}

/**
 * How much was taught, as a ring around the number of photos.
 * @param {number} share
 * @param {number} count
 */
function ring(share, count) {
    const length = 2 * Math.PI * 20;
    return html`<svg class="ring" viewBox="0 0 48 48" aria-hidden="true"><circle class="whole" cx="24" cy="24" r="20"/><circle class="full" cx="24" cy="24" r="20"
        .style=${`stroke-dasharray: ${length}; stroke-dashoffset: ${length * (1 - share)}`}/><text x="24" y="24">${count}</text></svg>`;
}

/**
 * What would help a pet to be known.
 * @param {number} count
 * @param {number | null} recalled
 */
function adviceCode(count, recalled) {
    if (count < 3) return "pets.weak";
    if (count < ENOUGH) return "pets.fair";
    return recalled !== null && recalled / count < WELL ? "pets.mixed-up" : "pets.good";
}

/**
 * A copy that takes little memory; the picture itself is closed.
 * @param {ImageBitmap | HTMLImageElement} picture
 */
async function smaller(picture) {
    if (!(picture instanceof ImageBitmap) || picture.width <= SMALL) return picture;
    const copy = await createImageBitmap(picture, { resizeWidth: SMALL, resizeQuality: "medium" });
    picture.close();
    return copy;
}

/** @param {string[]} names */
const listed = (names) => names.join(", ");

customElements.define("pets-tab", PetsTab);
