// The inside tab.
import { Worded, t } from "../words.js";
import { LitElement, html } from "../vendor/lit.js";
import { controls } from "./controls.js";

export class InsideTab extends Worded(LitElement) {
    static styles = [controls];

    render() {
        return html`<h1>${t("inside.heading")}</h1>`;
    }
}

customElements.define("inside-tab", InsideTab);
