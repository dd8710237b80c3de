// The photo tab.
import { Worded, t } from "../words.js";
import { LitElement, html } from "../vendor/lit.js";
import { controls } from "./controls.js";

export class PhotoTab extends Worded(LitElement) {
    static styles = [controls];

    render() {
        return html`<h1>${t("photo.heading")}</h1>`;
    }
}

customElements.define("photo-tab", PhotoTab);
