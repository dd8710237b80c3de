/** Ways to hand over a photo: four buttons, whatever the device has first. */
import { PICTURES } from "../pictures.js";
import { Worded, t } from "../words.js";
import { LitElement, css, html } from "../vendor/lit.js";
import { controls } from "./controls.js";
import { icons } from "./icons.js";

/** Tells of a photo by a `photo-chosen` event with `files`, and of why there is none by a `notice`. */
export class PhotoSource extends Worded(LitElement) {
    static properties = { again: { type: Boolean, reflect: true }, touch: { state: true } };

    static styles = [controls, css`
        .ways { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: var(--space-2); }
        .button { min-height: 3.25rem; padding-inline: var(--space-2); line-height: 1.2; overflow-wrap: anywhere; }
        :host([again]) .ways { grid-template-columns: repeat(4, auto); justify-content: start; }
        :host([again]) .button { min-height: var(--target); padding-inline: var(--space-4); }
        @media (max-width: 44rem) { :host([again]) .ways { grid-template-columns: repeat(2, minmax(0, 1fr)); justify-content: stretch; } :host([again]) .button, .button { gap: var(--space-1); padding-inline: var(--space-1); } }
        @media (max-width: 24rem) { .ways { font-size: var(--text-s); } }
    `];

    #touch = matchMedia("(pointer: coarse)");
    #follow = () => { this.touch = this.#touch.matches; };

    constructor() {
        super();
        /** Whether a photo is there already, and another is asked for. */
        this.again = false;
        this.touch = this.#touch.matches;
    }

    connectedCallback() {
        super.connectedCallback();
        this.#touch.addEventListener("change", this.#follow);
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        this.#touch.removeEventListener("change", this.#follow);
    }

    render() {
        return html`
            <div class="ways" role="group" aria-label=${t(this.again ? "photo.another" : "photo.ways")}>
                ${this.touch ? this.#onTouch() : this.#onComputer()}
            </div>
            <input class="choose" type="file" accept=${PICTURES} hidden @change=${this.#picked}>
            <input class="take" type="file" accept="image/*" capture="environment" hidden @change=${this.#picked}>`;
    }

    #onTouch() {
        return html`
            ${this.#button("take", icons.camera, () => this.#open(".take"), true)}
            ${this.#button("choose", icons.photo, () => this.#open(".choose"))}
            ${this.#button("paste", icons.paste, this.#paste)}
            ${this.#button("live", icons.live, this.#live)}`;
    }

    #onComputer() {
        return html`
            ${this.#button("choose", icons.photo, () => this.#open(".choose"), true)}
            ${this.#button("drop", icons.save, () => this.#open(".choose"))}
            ${this.#button("camera", icons.camera, this.#live)}
            ${this.#button("paste", icons.paste, this.#paste)}`;
    }

    /**
     * @param {string} name of its word
     * @param {unknown} icon
     * @param {() => void} act
     */
    #button(name, icon, act, primary = false) {
        const look = primary && !this.again ? "button primary" : "button";
        return html`<button type="button" class=${look} data-way=${name} @click=${act}>${icon}${t(`photo.${name}`)}</button>`;
    }

    /** @param {string} selector of the input */
    #open(selector) {
        /** @type {HTMLInputElement} */ (this.renderRoot.querySelector(selector)).click();
    }

    /** @param {Event} event */
    #picked({ target }) {
        const input = /** @type {HTMLInputElement} */ (target);
        const files = [...(input.files ?? [])];
        input.value = ""; // so that the same file can be chosen again
        if (files.length) this.#give(files);
    }

    #live() {
        location.hash = "#live"; // where a frame can be kept as a photo
    }

    async #paste() {
        const files = await this.#clipboard();
        if (typeof files === "string") this.dispatchEvent(event("notice", { text: t(files) }));
        else this.#give(files);
    }

    /** @returns {Promise<File[] | string>} the picture there, or the code of why there is none */
    async #clipboard() {
        if (!navigator.clipboard?.read) return "photo.paste-keys";
        try {
            for (const item of await navigator.clipboard.read()) {
                const type = item.types.find((each) => each.startsWith("image/"));
                if (type) return [new File([await item.getType(type)], t("photo.pasted-name"), { type })];
            }
            return "photo.paste-nothing";
        } catch {
            return "photo.paste-refused";
        }
    }

    /** @param {File[]} files */
    #give(files) {
        this.dispatchEvent(event("photo-chosen", { files }));
    }
}

/**
 * @param {string} name
 * @param {object} detail
 */
function event(name, detail) {
    return new CustomEvent(name, { detail, bubbles: true, composed: true });
}

customElements.define("photo-source", PhotoSource);
