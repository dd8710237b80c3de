// <photo-lightbox>: one of many photos, large, with its evidence; arrows, keys and swipes go to the others.
import { engine } from "../engine/index.js";
import { likelier } from "../pets/pets.js";
import { toPicture } from "../pictures.js";
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { Worded, t } from "../words.js";
import { controls } from "./controls.js";
import "./evidence-view.js";
import { icons } from "./icons.js";
import "./verdict-panel.js";

/** @typedef {import("../many/photos.js").Photo} Photo */
/** @typedef {import("../engine/types.js").Explanation} Explanation */

const KEPT = 24; // explanations of the photos last looked at; each may hold a preview of some 300 kB
const SWIPE = 48; // px that a finger travels at least

export class PhotoLightbox extends Worded(LitElement) {
    static styles = [
        controls,
        css`
            dialog {
                width: 100%; height: 100%; max-width: none; max-height: none; padding: 0; border: 0; overflow: auto;
                background: var(--surface); color: var(--ink); overscroll-behavior: contain;
            }
            .frame { display: grid; grid-template-rows: auto 1fr auto; min-height: 100%; }
            header { display: flex; align-items: center; gap: var(--space-2); padding: var(--space-2) var(--space-3); }
            .title { flex: 1; min-width: 0; line-height: 1.3; }
            .title p { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
            .stage {
                display: grid; grid-template: "previous picture next" 1fr "map map map" auto / auto minmax(0, 1fr) auto;
                align-items: center; gap: var(--space-2); padding: 0 var(--space-3); touch-action: pan-y pinch-zoom;
            }
            .previous { grid-area: previous; }
            .next { grid-area: next; }
            .map { grid-area: map; justify-self: center; }
            evidence-view, .waiting { --max-height: calc(100dvh - 16.5rem); grid-area: picture; width: 100%; }
            .waiting { display: grid; place-items: center; min-height: var(--max-height); color: var(--ink-soft); text-align: center; }
            footer {
                display: flex; flex-wrap: wrap; align-items: center; gap: var(--space-3) var(--space-5); width: 100%; max-width: 44rem;
                margin: 0 auto; padding: var(--space-2) var(--space-4) var(--space-4);
            }
            .said, .problem { flex: 1 1 16rem; min-width: 0; }
            .who { margin-top: var(--space-2); font-weight: 600; overflow-wrap: anywhere; }
            @media (max-width: 44rem) {
                .stage {
                    grid-template: "picture picture picture" 1fr "previous map next" auto / auto minmax(0, 1fr) auto;
                    padding: 0 var(--space-2);
                }
                footer .button { width: 100%; }
            }
        `,
    ];
    static properties = {
        photos: { attribute: false },
        petOf: { attribute: false },
        photo: { state: true },
        picture: { state: true },
        explanation: { state: true },
        thresholds: { state: true },
        problem: { state: true },
        map: { state: true },
    };

    constructor() {
        super();
        /** @type {Photo[]} those that the arrows go through, in their order */
        this.photos = [];
        /** @type {(photo: Photo) => string | null} the name of the visitor's pet in a photo */
        this.petOf = () => null;
        /** @type {Photo | null} */
        this.photo = null;
        /** @type {ImageBitmap | HTMLImageElement | null} */
        this.picture = null;
        /** @type {Explanation | null} */
        this.explanation = null;
        /** @type {import("../engine/types.js").Thresholds | null} */
        this.thresholds = null;
        /** @type {string | null} why there is no evidence */
        this.problem = null;
        this.map = true;
        /** @type {Map<Photo, Explanation>} */
        this.known = new Map();
        /** @type {AbortController | null} */
        this.asking = null;
        /** @type {{x: number, y: number} | null} where a finger came down */
        this.finger = null;
    }

    get dialog() {
        return /** @type {HTMLDialogElement} */ (this.renderRoot.querySelector("dialog"));
    }

    /** @param {Photo} photo */
    async open(photo) {
        this.thresholds = (await engine.about()).thresholds;
        await this.updateComplete;
        if (!this.dialog.open) this.dialog.showModal();
        await this.show(photo);
    }

    /** @param {Photo} photo */
    async show(photo) {
        this.asking?.abort();
        const asking = (this.asking = new AbortController());
        Object.assign(this, { photo, problem: null, explanation: null, picture: null });
        try {
            const file = await photo.open();
            const picture = await toPicture(file);
            if (asking.signal.aborted) return;
            this.picture = picture;
            const explanation = this.known.get(photo) ?? (await engine.explain(file, { preview: !picture, signal: asking.signal }));
            this.keep(photo, explanation);
            const drawn = picture ?? (explanation.preview ? await pictureOf(explanation.preview) : null);
            if (asking.signal.aborted) return;
            Object.assign(this, { explanation, picture: drawn });
        } catch (error) {
            if (!asking.signal.aborted) this.problem = /** @type {any} */ (error).code ?? "gone";
        }
    }

    /**
     * @param {Photo} photo
     * @param {Explanation} explanation
     */
    keep(photo, explanation) {
        this.known.delete(photo);
        this.known.set(photo, explanation);
        for (const [oldest] of this.known) if (this.known.size > KEPT) this.known.delete(oldest);
    }

    /** @param {number} steps */
    go(steps) {
        const place = this.photos.indexOf(/** @type {Photo} */ (this.photo)) + steps;
        if (place >= 0 && place < this.photos.length) this.show(this.photos[place]);
    }

    closed() {
        this.asking?.abort();
        const { photo } = this;
        Object.assign(this, { photo: null, picture: null, explanation: null });
        this.dispatchEvent(new CustomEvent("close-photo", { detail: { photo } }));
    }

    /** @param {KeyboardEvent} event */
    pressed(event) {
        const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
        if (steps === undefined) return;
        event.preventDefault();
        if (Number.isFinite(steps)) this.go(steps);
        else this.show(this.photos.at(steps < 0 ? 0 : -1) ?? /** @type {Photo} */ (this.photo));
    }

    /** @param {PointerEvent} event */
    pointed(event) {
        if (event.pointerType !== "mouse") this.finger = event.isPrimary ? { x: event.clientX, y: event.clientY } : null; // two fingers zoom
    }

    /** @param {PointerEvent} event */
    lifted(event) {
        if (!this.finger) return;
        const [right, down] = [event.clientX - this.finger.x, event.clientY - this.finger.y];
        this.finger = null;
        if (Math.abs(right) > SWIPE && Math.abs(right) > 2 * Math.abs(down)) this.go(right < 0 ? 1 : -1);
    }

    async openInPhoto() {
        const { photo, explanation } = this;
        if (!photo) return;
        const file = await photo.open();
        this.dialog.close();
        const detail = { file, name: photo.name, explanation };
        this.dispatchEvent(new CustomEvent("open-photo", { detail, bubbles: true, composed: true }));
    }

    render() {
        const { photo, photos } = this;
        return html`<dialog aria-label=${photo?.name ?? ""} @close=${this.closed} @keydown=${this.pressed}>
            ${photo ? this.renderFrame(photo, photos.indexOf(photo)) : nothing}
        </dialog>`;
    }

    /**
     * @param {Photo} photo
     * @param {number} place
     */
    renderFrame(photo, place) {
        const pet = this.petOf(photo);
        return html`<div class="frame">
            <header>
                <div class="title">
                    <p title=${photo.path}>${photo.name}</p>
                    <p class="soft small number">${t("many.place", { place: place + 1, total: this.photos.length })}</p>
                </div>
                <button class="button quiet icon" aria-label=${t("app.close")} @click=${() => this.dialog.close()}>${icons.close}</button>
            </header>
            <div class="stage" @pointerdown=${this.pointed} @pointerup=${this.lifted} @pointercancel=${() => (this.finger = null)}>
                <button class="button quiet icon previous" aria-label=${t("many.previous")} ?disabled=${place <= 0}
                    @click=${() => this.go(-1)}>${icons.back}</button>
                ${this.renderPicture(photo)}
                <button class="button quiet icon next" aria-label=${t("many.next")} ?disabled=${place + 1 >= this.photos.length}
                    @click=${() => this.go(1)}>${icons.forward}</button>
                <label class="toggle map"><input type="checkbox" role="switch" .checked=${this.map}
                    @change=${() => (this.map = !this.map)}><span>${t("many.map")}</span></label>
            </div>
            <footer>
                ${this.problem
                    ? html`<p class="problem" role="status">${t(`problem.${this.problem}`)}</p>`
                    : html`<div class="said"><verdict-panel compact .prediction=${photo.prediction} .thresholds=${this.thresholds}></verdict-panel>
                        ${pet ? html`<p class="who">${t("pets.it-is-i-think", { name: pet })}</p>` : nothing}</div>`}
                <button class="button" @click=${this.openInPhoto}>${icons.photo}<span>${t("many.open")}</span></button>
            </footer>
        </div>`;
    }

    /** @param {Photo} photo */
    renderPicture(photo) {
        if (!this.picture) {
            return html`<div class="waiting">${this.problem ? photo.name : html`<span class="spinner" aria-hidden="true"></span>`}</div>`;
        }
        const named = photo.prediction?.verdict !== "neither";
        const pet = this.petOf(photo);
        return html`<evidence-view .picture=${this.picture} .explanation=${this.explanation} show=${this.map ? "both" : "photo"}
            .boxes=${this.map && named} .pets=${pet && photo.prediction ? { [likelier(photo.prediction)]: pet } : {}}></evidence-view>`;
    }
}

/** @param {string} address a data URL */
async function pictureOf(address) {
    const image = new Image();
    image.src = address;
    await image.decode();
    return image;
}

customElements.define("photo-lightbox", PhotoLightbox);
