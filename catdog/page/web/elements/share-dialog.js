/** The card of an answer, to copy, save or send from this device. */
import { LitElement, css, html, nothing } from "../vendor/lit.js";
import { percent, sentenceCode } from "../verdict.js";
import { PAIRS } from "../evidence.js";
import { Worded, t } from "../words.js";
import { controls } from "./controls.js";
import { download } from "./download.js";
import { icons } from "./icons.js";
import { drawCard } from "./share-card.js";

/** @typedef {import("../engine/types.js").Prediction} Prediction */

const FILE = "catdog.png";

/** Opened by `show`; tells what has become of a copy by a `notice`. */
export class ShareDialog extends Worded(LitElement) {
    static properties = { card: { state: true }, sentence: { state: true } };

    static styles = [controls, css`
        dialog {
            width: min(28rem, calc(100vw - 2rem)); max-height: calc(100dvh - 2rem); padding: var(--space-4); border: 0;
            border-radius: var(--radius); background: var(--surface); color: var(--ink); box-shadow: var(--shadow);
        }
        dialog::backdrop { background: var(--veil); }
        .inner { display: grid; gap: var(--space-3); }
        header { display: flex; align-items: center; justify-content: space-between; }
        img { width: 100%; max-height: 55dvh; object-fit: contain; border-radius: var(--radius-small); background: var(--sunken); }
        .row { display: flex; flex-wrap: wrap; gap: var(--space-2); }
        .row .button { flex: 1 1 auto; }
    `];

    constructor() {
        super();
        /** @type {{blob: Blob, address: string} | null} */
        this.card = null;
        this.sentence = "";
    }

    /**
     * @param {HTMLCanvasElement} picture with its evidence
     * @param {Prediction} prediction
     * @param {number} colors which pair the evidence is drawn in
     */
    async show(picture, prediction, colors) {
        this.sentence = t(sentenceCode(prediction));
        const bars = /** @type {const} */ (["cat", "dog"]).map((label) => ({
            name: t(`verdict.label-${label}`),
            share: prediction[label],
            percent: percent(prediction[label]),
            color: `rgb(${PAIRS[colors][label].join(" ")})`,
        }));
        const address = `${location.host}${location.pathname.replace(/\/$/, "")}`;
        const canvas = drawCard({ picture, sentence: this.sentence, bars, name: "catdog", address });
        const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
        this.card = { blob, address: URL.createObjectURL(blob) };
        await this.updateComplete;
        this.#dialog.showModal();
    }

    get #dialog() {
        return /** @type {HTMLDialogElement} */ (this.renderRoot.querySelector("dialog"));
    }

    render() {
        return html`<dialog aria-labelledby="title" @close=${this.#forget} @click=${this.#outside}>
            ${this.card ? this.#inner(this.card) : nothing}</dialog>`;
    }

    /** @param {{blob: Blob, address: string}} card */
    #inner({ blob, address }) {
        const file = new File([blob], FILE, { type: "image/png" });
        return html`<div class="inner">
            <header><h2 id="title">${t("share.title")}</h2>
                <button type="button" class="button quiet icon" aria-label=${t("share.close")} @click=${() => this.#dialog.close()}>${icons.close}</button>
            </header>
            <img src=${address} alt=${t("share.card", { sentence: this.sentence })}>
            <div class="row">
                ${navigator.canShare?.({ files: [file] }) ? html`<button type="button" class="button primary" @click=${() => this.#send(file)}>
                    ${icons.share}${t("share.send")}</button>` : nothing}
                <button type="button" class="button" @click=${() => this.#copy(blob)}>${icons.copy}${t("share.copy")}</button>
                <button type="button" class="button" @click=${() => download(blob, FILE)}>${icons.save}${t("share.save")}</button>
            </div>
            <p class="small soft">${t("share.private")}</p>
        </div>`;
    }

    /** @param {File} file */
    async #send(file) {
        try {
            await navigator.share({ files: [file], text: this.sentence });
            this.#dialog.close();
        } catch (error) {
            if (!(error instanceof DOMException)) throw error; // they thought better of it
        }
    }

    /** @param {Blob} blob */
    async #copy(blob) {
        let code = "share.copied";
        try {
            await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
            this.#dialog.close();
        } catch {
            code = "share.not-copied";
        }
        this.dispatchEvent(new CustomEvent("notice", { detail: { text: t(code) }, bubbles: true, composed: true }));
    }

    /** A click beside the card closes it. @param {MouseEvent} event */
    #outside({ target }) {
        if (target === this.#dialog) this.#dialog.close();
    }

    #forget() {
        if (this.card) URL.revokeObjectURL(this.card.address);
        this.card = null;
    }
}

customElements.define("share-dialog", ShareDialog);
