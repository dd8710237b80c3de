// The accuracy tab: three sentences that anybody understands, what fools the network, then everything for experts.
import { engine } from "../engine/index.js";
import { plainShare, worstFirst } from "../shares.js";
import { LitElement, html, nothing } from "../vendor/lit.js";
import { Worded, languageTag, t } from "../words.js";
import { accuracyStyle } from "./accuracy-style.js";
import { dots, interval } from "./chart.js";
import { even } from "../scales.js";
import { experts } from "./accuracy-experts.js";
import { controls } from "./controls.js";
import { exampleFile, exampleName } from "./example-strip.js";

/** @typedef {import("../engine/types.js").Example} Example */
/** @typedef {import("../shares.js").Rate & {kind: string}} Kind */

const SIMPLE = ["one-pet", "neither", "both"];
const FIRST_KINDS = 6;
// What fools it, and the example that does.
const FOOLS = [
    ["drawing", "hard-drawn-dog"],
    ["look-alike", "hard-red-panda"],
    ["small", "hard-kitten-and-dog"],
];
/** @type {Record<string, string>} examples of kinds; each is shown once, beside the worst of its kinds */
const EXAMPLES = {
    cat: "cat-chelsea",
    "cat-scene": "cat-kitten-with-yarn",
    dog: "dog-with-bicycle",
    both: "both-side-by-side",
    "both-studio": "both-side-by-side",
    "side-by-side": "both-side-by-side",
    "at-a-half": "hard-kitten-and-dog",
    "at-a-third": "hard-kitten-and-dog",
    "at-a-fifth": "hard-kitten-and-dog",
    neither: "neither-coffee-cup",
    thing: "neither-coffee-cup",
    drawing: "hard-drawn-dog",
    "red-panda": "hard-red-panda",
    "look-alike": "hard-red-panda",
    "small-animal": "hard-pika",
    "big-cat": "hard-cheetah",
    "other-animal": "neither-horses",
};
const WHOLE = even(0, 1);

export class AccuracyTab extends Worded(LitElement) {
    static styles = [controls, accuracyStyle];
    static properties = { figures: { state: true }, examples: { state: true }, lost: { state: true } };

    constructor() {
        super();
        /** @type {any} figures.json, once it is here */
        this.figures = null;
        /** @type {Map<string, Example>} */
        this.examples = new Map();
        this.lost = false;
    }

    shown() {
        if (!this.figures) this.fetch();
    }

    async fetch() {
        this.lost = false;
        try {
            const [figures, about] = await Promise.all([figuresOf(), engine.about()]);
            this.examples = new Map(about.examples.map((example) => [example.id, example]));
            this.figures = figures;
        } catch {
            this.lost = true;
        }
    }

    /** @param {Example} example */
    async open(example) {
        try {
            const file = await exampleFile(example);
            this.#tell("open-photo", { file, name: file.name });
        } catch {
            this.#tell("notice", { text: t("problem.offline") });
        }
    }

    /** @param {string} event @param {object} detail */
    #tell(event, detail) {
        this.dispatchEvent(new CustomEvent(event, { detail, bubbles: true, composed: true }));
    }

    render() {
        return html`
            <h1>${t("accuracy.heading")}</h1>
            ${this.figures ? this.renderFigures() : this.renderWaiting()}
        `;
    }

    renderWaiting() {
        if (!this.lost) return html`<p class="soft" role="status">${t("accuracy.loading")}</p>`;
        return html`<p role="alert">${t("accuracy.lost")}</p>
            <button class="button" @click=${this.fetch}>${t("accuracy.again")}</button>`;
    }

    renderFigures() {
        const { measured, made } = this.figures;
        return html`
            ${measured ? this.renderSimple(measured) : html`<p class="lead">${t("accuracy.none")}</p>`}
            ${made.head === "softmax" ? html`<p>${t("accuracy.softmax")}</p>` : nothing}
            ${made.head !== "softmax" && !made.negatives ? html`<p>${t("accuracy.no-negatives")}</p>` : nothing}
            <section><h2>${t("accuracy.fools")}</h2>
                <div class="fools">${FOOLS.map(([code, id]) => this.renderFool(code, id))}</div>
            </section>
            ${measured ? this.renderKinds(measured.kinds) : nothing}
            <details class="fold experts"><summary>${t("accuracy.experts")}</summary>${experts(this.figures)}</details>
        `;
    }

    /** @param {any} measured */
    renderSimple({ simple, n }) {
        const told = SIMPLE.filter((kind) => simple[kind]);
        return html`
            <div class="simple">${told.map((kind) => {
                const share = plainShare(simple[kind]);
                return html`<div>${dots(share)}<p>${t(`accuracy.${kind}-${share.code}`, share)}</p></div>`;
            })}</div>
            <p class="soft">${t("accuracy.counted", { n: n.toLocaleString(languageTag()) })}</p>`;
    }

    /** @param {string} code @param {string} id */
    renderFool(code, id) {
        return html`<div>${this.renderExample(id)}
            <div><h3>${t(`accuracy.fools-${code}`)}</h3><p class="soft small">${t(`accuracy.fools-${code}-why`)}</p></div></div>`;
    }

    /** @param {string | undefined} id */
    renderExample(id) {
        const example = this.examples.get(id ?? "");
        if (!example) return nothing;
        return html`<button class="example" aria-label=${t("accuracy.try", { alt: exampleName(example) })} @click=${() => this.open(example)}>
            <img src=${example.thumb} alt="" loading="lazy" width="72" height="72"></button>`;
    }

    /** @param {Kind[]} kinds */
    renderKinds(kinds) {
        const used = new Set(FOOLS.map(([, id]) => id));
        const rows = worstFirst(kinds, this.figures.enough).map((kind) => {
            const id = EXAMPLES[kind.kind];
            const fresh = !used.has(id);
            used.add(id);
            return this.renderKind(kind, fresh ? id : undefined);
        });
        const more = rows.slice(FIRST_KINDS);
        return html`<section>
            <h2>${t("accuracy.kinds")}</h2>
            <ul class="kinds">${rows.slice(0, FIRST_KINDS)}</ul>
            ${more.length
                ? html`<details class="fold"><summary>${t("accuracy.more-kinds", { count: more.length })}</summary>
                    <ul class="kinds">${more}</ul></details>`
                : nothing}
        </section>`;
    }

    /** @param {Kind} kind @param {string | undefined} id */
    renderKind(kind, id) {
        const share = plainShare(kind);
        return html`<li>
            <span class="kind">${t(`figure.kind-${kind.kind}`)}</span>
            <span class="share number">${t(`accuracy.share-${share.code}`, share)}</span>
            ${interval(kind, WHOLE)}
            ${this.renderExample(id)}
        </li>`;
    }
}

async function figuresOf() {
    const response = await fetch("figures.json");
    if (!response.ok) throw new Error(`figures.json: ${response.status}`);
    return response.json();
}

customElements.define("accuracy-tab", AccuracyTab);
