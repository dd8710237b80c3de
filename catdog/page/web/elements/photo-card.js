// <photo-card>: one of many photos, small, with what it was taken for, or why it could not be read.
import { endingOf } from "../many/names.js";
import { Thumbnails } from "../many/thumbnails.js";
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { percent } from "../verdict.js";
import { Worded, t } from "../words.js";
import { controls } from "./controls.js";

const NEAR = "400px"; // how far from being seen a thumbnail is made

const thumbnails = new Thumbnails();
const sight = new IntersectionObserver(
    (changes) => {
        for (const { target, isIntersecting } of changes) /** @type {PhotoCard} */ (target).seen(isIntersecting);
    },
    { rootMargin: NEAR },
);

export class PhotoCard extends Worded(LitElement) {
    static styles = [
        controls,
        css`
            :host { height: 100%; }
            button, .unreadable {
                display: grid; grid-template-rows: auto 1fr; width: 100%; height: 100%; padding: 0; overflow: hidden; text-align: start;
                border: 1px solid var(--line); border-radius: var(--radius); background: var(--raised);
            }
            button { cursor: pointer; transition: border-color var(--motion), box-shadow var(--motion); }
            button:hover { border-color: var(--line-strong); box-shadow: var(--shadow); }
            .picture { display: grid; place-items: center; aspect-ratio: 1; background: var(--sunken); color: var(--ink-soft); }
            img { width: 100%; height: 100%; object-fit: cover; animation: appear var(--motion); }
            @keyframes appear { from { opacity: 0; } }
            .text { display: grid; align-content: start; min-width: 0; gap: var(--space-1); padding: var(--space-2) var(--space-3) var(--space-3); font-size: var(--text-s); line-height: 1.35; }
            .verdict { overflow: hidden; text-overflow: ellipsis; font-size: var(--text-m); font-weight: 600; }
            .verdict.cat { color: var(--cat-ink); }
            .verdict.dog { color: var(--dog-ink); }
            .bar { display: grid; grid-template-columns: 1fr auto; align-items: center; gap: var(--space-2); }
            .track { height: 6px; overflow: hidden; border-radius: 3px; background: var(--sunken); }
            .fill { display: block; height: 100%; border-radius: 3px; }
            .fill.cat { background: var(--cat); }
            .fill.dog { background: var(--dog); }
            .name { overflow: hidden; color: var(--ink-soft); text-overflow: ellipsis; white-space: nowrap; }
            @media (forced-colors: active) { .fill { forced-color-adjust: none; } .track { outline: 1px solid; } }
        `,
    ];
    static properties = { photo: { attribute: false }, pet: { attribute: false } };

    constructor() {
        super();
        /** @type {import("../many/photos.js").Photo | null} */
        this.photo = null;
        /** The name of the visitor's pet that it shows. @type {string | null} */
        this.pet = null;
    }

    connectedCallback() {
        super.connectedCallback();
        sight.observe(this);
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        sight.unobserve(this);
        this.seen(false);
    }

    /** @param {boolean} near */
    seen(near) {
        if (!this.photo?.prediction || this.photo.thumbnail !== undefined) return;
        if (near) thumbnails.ask(this.photo, () => this.requestUpdate());
        else thumbnails.cancel(this.photo);
    }

    focus() {
        /** @type {HTMLElement | null} */ (this.renderRoot.querySelector("button"))?.focus();
    }

    render() {
        if (!this.photo) return nothing;
        const { name, path, prediction, problem } = this.photo;
        const named = html`<span class="name" title=${path}>${name}</span>`;
        if (!prediction) {
            return html`<div class="unreadable"><span class="picture">${kindOfFile(path)}</span>
                <span class="text"><span>${t(`problem.${problem}`)}</span>${named}</span></div>`;
        }
        return html`<button type="button" @click=${this.open}>
            <span class="picture">${this.renderThumbnail()}</span>
            <span class="text">
                <span class="verdict ${prediction.verdict}">${this.pet ?? t(`many.${prediction.verdict}`)}</span>
                ${renderBar("cat", prediction.cat)} ${renderBar("dog", prediction.dog)} ${named}
            </span>
        </button>`;
    }

    renderThumbnail() {
        const thumbnail = this.photo?.thumbnail;
        if (thumbnail) return html`<img src=${thumbnail} alt="">`;
        return thumbnail === null ? kindOfFile(this.photo?.path ?? "") : nothing;
    }

    open() {
        this.dispatchEvent(new CustomEvent("open-card", { detail: { photo: this.photo }, bubbles: true, composed: true }));
    }
}

/** @param {string} path */
const kindOfFile = (path) => endingOf(path).slice(1).toUpperCase();

/**
 * @param {"cat" | "dog"} label
 * @param {number} probability
 */
const renderBar = (label, probability) => html`<span class="bar">
    <span class="track"><span class="fill ${label}" .style=${`width: ${100 * probability}%`}></span></span>
    <span class="number">${t(`many.percent-${label}`, { percent: percent(probability) })}</span>
</span>`;

customElements.define("photo-card", PhotoCard);
