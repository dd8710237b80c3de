// The many tab.
import { Worded, t } from "../words.js";
import { LitElement, html } from "../vendor/lit.js";
import { controls } from "./controls.js";

export class ManyTab extends Worded(LitElement) {
    static styles = [controls];

    render() {
        return html`<h1>${t("many.heading")}</h1>`;
    }
}

customElements.define("many-tab", ManyTab);
