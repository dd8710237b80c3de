/** An answer's logits, small, where a percentage at either end does not move any more. */
import { html } from "../vendor/lit.js";
import { t } from "../words.js";
import { signed } from "./adding-up.js";

/** @param {import("../engine/types.js").Prediction} prediction */
export function logitsOf({ logits: [cat, dog] }) {
    return html`<p class="soft small number logits">${t("tour.logits", { cat: signed(cat), dog: signed(dog) })}</p>`;
}
