// The live tab.
import { Worded, t } from "../words.js";
import { LitElement, html } from "../vendor/lit.js";
import { controls } from "./controls.js";

export class LiveTab extends Worded(LitElement) {
    static styles = [controls];

    render() {
        return html`<h1>${t("live.heading")}</h1>`;
    }
}

customElements.define("live-tab", LiveTab);
