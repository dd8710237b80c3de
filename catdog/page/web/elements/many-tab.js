// <many-tab>: files, a folder or a zip in; a gallery of verdicts, a table and sorted folders out.
import { pathOf } from "../dropped.js";
import { engine } from "../engine/index.js";
import { tableOf } from "../many/csv.js";
import { fitsOneZip, sortedZip } from "../many/folders.js";
import { KINDS, ORDERS, arranged, countsOf } from "../many/order.js";
import { photosAmong } from "../many/photos.js";
import { Run } from "../many/run.js";
import { mine } from "../pets/mine.js";
import { PICTURES } from "../pictures.js";
import { LitElement, html, nothing, repeat } from "../vendor/lit.js";
import { Worded, numbered, t } from "../words.js";
import { controls } from "./controls.js";
import { download } from "./download.js";
import { icons } from "./icons.js";
import { look } from "./many-style.js";
import "./photo-card.js";

/** @typedef {import("../many/photos.js").Photo} Photo */
/** @typedef {import("./photo-card.js").PhotoCard} PhotoCard */

const ACCEPTED = `${PICTURES},.zip,application/zip`;
const PET = "pet "; // before a name, as a kind of photo
const FOLDERS = "webkitdirectory" in HTMLInputElement.prototype; // not on every phone

export class ManyTab extends Worded(LitElement) {
    static styles = [controls, look];
    static properties = {
        kind: { state: true },
        order: { state: true },
        problems: { state: true },
        packing: { state: true },
        limits: { state: true },
        more: { state: true },
    };

    constructor() {
        super();
        this.run = new Run(engine, () => this.requestUpdate(), () => mine.some);
        /** @type {typeof KINDS[number] | "doubtful" | "" | `pet ${string}`} which photos are shown */
        this.kind = "";
        /** @type {typeof ORDERS[number]} */
        this.order = "given";
        /** @type {{code: string, values: Record<string, string | number>}[]} why something was not taken */
        this.problems = [];
        /** @type {{done: number, abort: AbortController} | null} the zip that is being made */
        this.packing = null;
        /** @type {import("../engine/types.js").About["limits"] | null} */
        this.limits = null;
        this.more = false; // on a phone, whether what one may do with the photos is open
        /** Which of the visitor's pets photos show, once that was wanted. @type {WeakMap<Photo, string | null>} */
        this.names = new WeakMap();
    }

    connectedCallback() {
        super.connectedCallback();
        mine.addEventListener("change", this.#onPets);
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        mine.removeEventListener("change", this.#onPets);
    }

    #onPets = () => {
        this.names = new WeakMap();
        this.requestUpdate();
    };

    /**
     * @param {Photo} photo
     * @returns {string | null} the name of the visitor's pet that it shows
     */
    petIn(photo) {
        const { prediction, signature } = photo;
        if (!prediction || !signature || !mine.some) return null;
        if (!this.names.has(photo)) {
            const found = mine.recognized({ prediction, signature });
            this.names.set(photo, found?.known ? found.name : null);
        }
        return this.names.get(photo) ?? null;
    }

    shown() {
        this.learnLimits().catch(() => {}); // said when photos come
    }

    async learnLimits() {
        this.limits ??= (await engine.about()).limits;
        return this.limits;
    }

    /**
     * Adds files, folders' files and zips to the run, or says why not.
     * @param {File[]} files
     */
    async take(files) {
        try {
            const limits = await this.learnLimits();
            await mine.openKept();
            const { photos, refused } = await photosAmong(files, pathOf);
            this.problems = refused.map(({ name, code }) => ({ code: `zip.${code}`, values: { name } }));
            const count = this.run.countWith(photos);
            if (count > limits.photos) this.problems.push({ code: "many.too-many", values: { count, photos: limits.photos } });
            else if (photos.length) this.run.add(photos, limits.megabytes);
            else if (!refused.length) this.problems.push({ code: "many.none", values: {} });
        } catch (error) {
            this.problems = [{ code: `problem.${/** @type {any} */ (error).code ?? "failed"}`, values: {} }];
        }
        this.requestUpdate();
    }

    /** @param {Event} event */
    chosen(event) {
        const input = /** @type {HTMLInputElement} */ (event.target);
        this.take([...(input.files ?? [])]);
        input.value = ""; // the same files may be chosen again
    }

    clear() {
        this.packing?.abort.abort();
        this.run.clear();
        this.kind = "";
        this.problems = [];
    }

    saveTable() {
        const petOf = mine.some ? (/** @type {Photo} */ photo) => this.petIn(photo) : null;
        const text = tableOf(this.run.done, (code) => t(`problem.${code}`), petOf);
        download(new Blob([text], { type: "text/csv;charset=utf-8" }), "catdog.csv");
    }

    async saveSorted() {
        const photos = this.run.done;
        if (!fitsOneZip(photos)) {
            this.problems = [{ code: "many.zip-too-large", values: {} }];
            return;
        }
        const abort = new AbortController();
        this.packing = { done: 0, abort };
        try {
            const { zip, missing } = await sortedZip(photos, {
                onProgress: (done) => (this.packing = { done, abort }),
                signal: abort.signal,
            });
            download(zip, "catdog-sorted.zip");
            this.problems = missing ? [{ code: numbered("many.zip-missing", missing), values: { count: missing } }] : [];
        } catch {
            if (!abort.signal.aborted) this.problems = [{ code: "many.zip-failed", values: {} }];
        } finally {
            this.packing = null;
        }
    }

    render() {
        return html`${this.run.state === "empty" ? this.renderStage() : this.renderRun()}`;
    }

    renderStage() {
        return html`<div class="stage">
            <h1>${t("many.heading")}</h1>
            <p class="soft">${t("many.invitation")}</p>
            <div class="buttons">${this.renderChoosers("many.choose", "many.choose-folder", true)}</div>
            ${this.renderProblems()}
            <p class="soft small">${this.limits ? t("many.limits", this.limits) : nothing}</p>
        </div>`;
    }

    /**
     * @param {string} files the button's words
     * @param {string} folder
     * @param {boolean} main
     */
    renderChoosers(files, folder, main) {
        return html`
            <label class="button ${main ? "primary" : ""}">${icons.photo}<span>${t(files)}</span>
                <input class="visually-hidden" type="file" name="files" multiple accept=${ACCEPTED} @change=${this.chosen}></label>
            ${FOLDERS
                ? html`<label class="button">${icons.folder}<span>${t(folder)}</span>
                    <input class="visually-hidden" type="file" name="folder" webkitdirectory @change=${this.chosen}></label>`
                : nothing}
        `;
    }

    renderProblems() {
        return html`<div class="problems" role="alert">
            ${this.problems.map(({ code, values }) => html`<p>${t(code, values)}</p>`)}
        </div>`;
    }

    renderRun() {
        const done = this.run.done;
        const shown = this.arrangedBy(done);
        return html`
            <h1 class="visually-hidden">${t("many.heading")}</h1>
            ${this.renderProgress(done.length)} ${this.renderProblems()}
            <div class="tools">${this.renderKinds(done)} ${this.renderOrder()}</div>
            ${shown.length || this.run.state === "running"
                ? html`<ul class="photos" role="list" @open-card=${this.openCard} @keydown=${this.moveAmongCards}>
                    ${repeat(shown, keyOf, (photo) => html`<li><photo-card .photo=${photo} .pet=${this.petIn(photo)}></photo-card></li>`)}
                </ul>`
                : html`<p class="soft">${t("many.no-match")}</p>`}
            <photo-lightbox .photos=${shown.filter(({ prediction }) => prediction)} .petOf=${(/** @type {Photo} */ photo) => this.petIn(photo)} @close-photo=${this.closed}></photo-lightbox>
        `;
    }

    /** @param {Photo[]} done */
    arrangedBy(done) {
        const { kind, order } = this;
        if (!kind.startsWith(PET)) return arranged(done, /** @type {any} */ (kind), order);
        return arranged(done.filter((photo) => this.petIn(photo) === kind.slice(PET.length)), "", order);
    }

    /** @param {number} done */
    renderProgress(done) {
        const { photos, state, waiting } = this.run;
        const running = state === "running";
        const told = t(state === "done" ? numbered("many.done", done) : `many.${state}`, { done, total: photos.length });
        return html`<div class="run">
            <div class="told">
                <p id="told" class="number">${told}</p>
                <progress aria-labelledby="told" max=${photos.length} value=${done} ?hidden=${state === "done"}></progress>
                <p class="soft small" role="status">${waiting ? t(`many.waiting-${waiting}`) : nothing}</p>
                <p class="visually-hidden" role="status">${running ? nothing : told}</p>
            </div>
            ${running
                ? html`<button class="button" @click=${() => this.run.stop()}>${icons.stop}<span>${t("many.stop")}</span></button>`
                : nothing}
            ${state === "stopped" && done < photos.length
                ? html`<button class="button primary" @click=${() => this.run.goOn()}>${icons.play}<span>${t("many.go-on")}</span></button>`
                : nothing}
            <button class="button more" aria-expanded=${this.more} aria-controls="actions"
                @click=${() => (this.more = !this.more)}>${t("many.more")}</button>
            <div class="buttons actions ${this.more ? "open" : ""}" id="actions">${this.renderActions(done, running)}</div>
        </div>`;
    }

    /**
     * @param {number} done
     * @param {boolean} running
     */
    renderActions(done, running) {
        return html`
            ${this.renderChoosers("many.add", "many.add-folder", false)}
            <button class="button" ?disabled=${!done} @click=${this.saveTable}>${icons.save}<span>${t("many.table")}</span></button>
            ${this.packing
                ? html`<button class="button number" @click=${() => this.packing?.abort.abort()}>${icons.stop}<span>${t("many.packing", {
                    done: this.packing.done, total: done })}</span></button>`
                : html`<button class="button" ?disabled=${!done || running} @click=${this.saveSorted}>${icons.save}<span>${t(
                    "many.sorted")}</span></button>`}
            <button class="button quiet" @click=${this.clear}>${t("many.clear")}</button>
        `;
    }

    /** @param {Photo[]} done */
    renderKinds(done) {
        const counts = countsOf(done);
        const kinds = /** @type {const} */ (["cat", "dog", "both", "neither", "doubtful", "unreadable"]);
        const chips = kinds.filter((kind) => counts[kind] || kind === this.kind);
        return html`<fieldset class="chips" @change=${this.choose}>
            <legend class="visually-hidden">${t("many.show")}</legend>
            ${this.renderChip("", done.length)} ${repeat(chips, (kind) => kind, (kind) => this.renderChip(kind, counts[kind]))}
            ${[...(mine.pets?.all.keys() ?? [])].map((name) => this.renderPet(name, done))}
        </fieldset>`;
    }

    /**
     * @param {typeof this.kind} kind
     * @param {number} count
     */
    renderChip(kind, count) {
        return html`<label><input type="radio" name="kind" value=${kind} .checked=${kind === this.kind}><span
            class="number ${kind}">${t(numbered(`many.count-${kind || "all"}`, count), { count })}</span></label>`;
    }

    /**
     * @param {string} name of one of the visitor's pets
     * @param {Photo[]} done
     */
    renderPet(name, done) {
        const count = done.filter((photo) => this.petIn(photo) === name).length;
        const value = /** @type {const} */ (`${PET}${name}`);
        if (!count && this.kind !== value) return nothing;
        return html`<label><input type="radio" name="kind" value=${value} .checked=${value === this.kind}><span
            class="number pet">${name} ${count}</span></label>`;
    }

    renderOrder() {
        return html`<label class="order"><span class="soft">${t("many.order")}</span>
            <select name="order" @change=${this.choose}>
                ${ORDERS.map((order) => html`<option value=${order} ?selected=${order === this.order}>${t(`many.by-${order}`)}</option>`)}
            </select></label>`;
    }

    /** @param {Event} event */
    choose(event) {
        const { name, value } = /** @type {HTMLInputElement} */ (event.target);
        Object.assign(this, { [name]: value });
    }

    /** @param {CustomEvent<{photo: Photo}>} event */
    async openCard(event) {
        await import("./photo-lightbox.js"); // with all that it needs, when it is needed
        await this.lightbox.open(event.detail.photo);
    }

    /**
     * Arrow keys go to the card beside, above or below.
     * @param {KeyboardEvent} event
     */
    moveAmongCards(event) {
        const cards = this.cards;
        const columns = cards.filter(({ offsetTop }) => offsetTop === cards[0].offsetTop).length;
        const place = cards.indexOf(/** @type {PhotoCard} */ (/** @type {Element} */ (event.target).closest("photo-card")));
        const next = {
            ...{ ArrowLeft: place - 1, ArrowRight: place + 1, ArrowUp: place - columns, ArrowDown: place + columns },
            ...{ Home: 0, End: cards.length - 1 },
        }[event.key];
        if (next === undefined) return;
        event.preventDefault();
        cards[Math.min(Math.max(next, 0), cards.length - 1)].focus();
    }

    /** @returns {PhotoCard[]} those that open a photo, in their order */
    get cards() {
        const all = /** @type {NodeListOf<PhotoCard>} */ (this.renderRoot.querySelectorAll("photo-card"));
        return [...all].filter(({ photo }) => photo?.prediction);
    }

    /** @returns {import("./photo-lightbox.js").PhotoLightbox} */
    get lightbox() {
        return /** @type {any} */ (this.renderRoot.querySelector("photo-lightbox"));
    }

    /**
     * Back to the card of the photo that was looked at last.
     * @param {CustomEvent<{photo: Photo}>} event
     */
    closed(event) {
        this.cards.find(({ photo }) => photo === event.detail.photo)?.focus();
    }
}

/**
 * What keeps a photo's card its own, also where two have one name.
 * @param {Photo} photo
 */
const keyOf = (photo) => photo;

customElements.define("many-tab", ManyTab);
