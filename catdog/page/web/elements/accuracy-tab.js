// The accuracy tab.
import { Worded, t } from "../words.js";
import { LitElement, html } from "../vendor/lit.js";
import { controls } from "./controls.js";

export class AccuracyTab extends Worded(LitElement) {
    static styles = [controls];

    render() {
        return html`<h1>${t("accuracy.heading")}</h1>`;
    }
}

customElements.define("accuracy-tab", AccuracyTab);
