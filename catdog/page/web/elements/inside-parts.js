/** Three parts of the inside tab: a residual block, stage by stage, other methods. */
import { html, nothing } from "../vendor/lit.js";
import { t } from "../words.js";
import "./cam-map.js";
import "./feature-map.js";
import { stretched } from "./stretched.js";
import "./tour-blocks.js";

/** @typedef {import("./inside-tab.js").InsideTab} InsideTab */
/** @typedef {import("../engine/types.js").Explanation} Explanation */

const LABELS = /** @type {const} */ (["cat", "dog"]);
const STAGES = [1, 2, 3, 4];
/** @type {Record<string, string>} as their papers write them */
const METHODS = {
    GradCAM: "Grad-CAM",
    GradCAMPlusPlus: "Grad-CAM++",
    XGradCAM: "XGrad-CAM",
    LayerCAM: "LayerCAM",
    EigenCAM: "Eigen-CAM",
    ScoreCAM: "Score-CAM",
    AblationCAM: "Ablation-CAM",
};
const SLOW = ["ScoreCAM", "AblationCAM"];

/** @param {InsideTab} tab */
export function stages(tab) {
    const { picture, stages: answer, label } = tab;
    const { view, size, maps, seconds } = answer;
    return html`
        <p>${t("inside.stages-text")}</p>
        ${segments("label", LABELS, label, (each) => t(`view.label-${each}`), t("inside.label"), (each) => tab.chooseLabel(each))}
        <ol class="stages ${answer.old ? "old" : ""}">${STAGES.map((stage, place) => {
            const values = maps[place];
            const caption = t("inside.stage", { stage });
            return html`<li>
                <cam-map .picture=${picture} .mapped=${{ values, label: answer.label, view, size }}
                    name=${alt(stage, answer.label, "LayerCAM")}></cam-map>
                <p><b>${caption}</b><br><span class="soft small">${t("inside.places", { width: values[0].length, height: values.length })}</span></p>
            </li>`;
        })}</ol>
        <p class="soft small">${t("inside.stretched")} ${t("inside.took", { seconds: tenths(seconds) })}</p>`;
}

/** @param {InsideTab} tab */
export function methods(tab) {
    const { method, stage, result, running } = tab;
    const explanation = tab.photo?.explanation;
    return html`
        <p>${t("inside.methods-text")}</p>
        <div class="choices">
            ${segments("method", Object.keys(METHODS), method, (each) => METHODS[each], t("inside.method"), (each) => tab.runMethod(each, stage))}
            ${segments("stage", STAGES, stage, (each) => t("inside.stage", { stage: each }), t("inside.stage-choice"), (each) =>
                method ? tab.runMethod(method, each) : (tab.stage = each))}
        </div>
        <div class="beside">
            <figure>
                ${explanation ? html`<cam-map .picture=${tab.picture} .mapped=${ownMap(explanation, tab.label)}
                    name=${t("inside.own-alt", { label: t(`view.label-${tab.label}`) })}></cam-map>` : nothing}
                <figcaption><b>${t("inside.own")}</b><br><span class="soft small">${t("inside.own-text")}</span></figcaption>
            </figure>
            <figure class="result">
                ${result?.map
                    ? html`<cam-map .picture=${tab.picture} .mapped=${{ ...result, values: result.map }}
                        name=${alt(result.stage, result.label, result.method)}></cam-map>`
                    : html`<div class="empty">${running === null ? stopped(tab) : progress(tab, running)}</div>`}
                ${method ? html`<figcaption><b>${METHODS[method]}</b> ${t("inside.stage", { stage })}<br>
                    <span class="soft small">${t(`inside.about-${method}`)} ${outcome(result)}</span></figcaption>` : nothing}
            </figure>
        </div>`;
}

/** @param {InsideTab} tab */
function stopped(tab) {
    return html`<p class="soft">${tab.result?.stopped ? t("inside.stopped") : t("inside.choose")}</p>`;
}

/** @param {InsideTab} tab @param {number} share */
function progress(tab, share) {
    const slow = SLOW.includes(tab.method ?? "");
    return html`
        <p role="status">${t(slow ? "inside.slow" : "inside.busy")}</p>
        <progress max="1" .value=${share} aria-label=${t("inside.progress")}></progress>
        <button class="button" @click=${() => tab.stopMethod()}>${t("inside.stop")}</button>`;
}

/** @param {any} result */
function outcome(result) {
    if (!result?.map) return nothing;
    const empty = result.map.every((/** @type {number[]} */ row) => row.every((value) => value === 0));
    return html`<span role="status">${empty ? t("inside.empty") : ""} ${t("inside.took", { seconds: tenths(result.seconds) })}</span>`;
}

/** @param {InsideTab} tab */
export function block(tab) {
    const { channel, channels, scale, maps } = /** @type {import("../engine/types.js").Layers} */ (tab.layers).blocks[tab.blockStage - 1];
    const part = (/** @type {number} */ index, /** @type {string} */ symbol, /** @type {string} */ code) => html`<figure>
        <feature-map .values=${maps[index]} .scale=${scale} name=${t("inside.block-alt", { stage: tab.blockStage, part: t(`inside.block-${code}`) })}></feature-map>
        <figcaption><b>${symbol}</b><br><span class="soft small">${t(`inside.block-${code}`)}</span></figcaption></figure>`;
    const sign = (/** @type {string} */ mark) => html`<span class="sign" aria-hidden="true">${mark}</span>`;
    return html`
        <p>${t("inside.block-text")}</p>
        ${segments("block", STAGES, tab.blockStage, (each) => t("inside.stage", { stage: each }), t("inside.stage-choice"), (each) => {
            tab.blockStage = each;
        })}
        <div class="addition">${part(0, "x", "input")}${sign("+")}${part(1, "F(x)", "change")}${sign("=")}${part(2, "x + F(x)", "sum")}</div>
        <div class="ramp number small" aria-hidden="true"><span>−${tenths(scale)}</span><span class="bar"></span><span>+${tenths(scale)}</span></div>
        <p class="soft small">${t("inside.channel", { channel: channel + 1, channels })}</p>
        <tour-blocks .file=${tab.photo?.file ?? null} .picture=${tab.picture}></tour-blocks>
        <details class="fold"><summary>${t("inside.block-why")}</summary><p>${t("inside.block-more")}</p>${diagram}</details>`;
}

const diagram = html`<svg class="diagram" viewBox="0 0 400 96" aria-hidden="true">
    <path d="M24 62H78M182 62H236M264 62H288M344 62H384M50 62V16H250V48"/>
    <path class="head" d="m78 62-9-5v10zM236 62l-9-5v10zM288 62l-9-5v10zM384 62l-9-5v10zM250 48l-5-9h10z"/>
    <rect x="78" y="42" width="104" height="40" rx="6"/><circle cx="250" cy="62" r="14"/><rect x="288" y="46" width="56" height="32" rx="6"/>
    <text x="14" y="67">x</text><text x="130" y="67">F(x)</text><text x="250" y="67">+</text><text x="316" y="67">ReLU</text>
</svg>`;

/**
 * One of a few, as a group of radio buttons.
 * @template {string | number} T
 * @param {string} name
 * @param {readonly T[]} values
 * @param {T | null} chosen
 * @param {(value: T) => string} wording
 * @param {string} legend
 * @param {(value: T) => void} choose
 */
function segments(name, values, chosen, wording, legend, choose) {
    return html`<fieldset class="segments"><legend class="visually-hidden">${legend}</legend>
        ${values.map((value) => html`<label><input type="radio" name=${name} value=${value} .checked=${value === chosen}
            @change=${() => choose(value)}><span>${wording(value)}</span></label>`)}</fieldset>`;
}

/**
 * The page's own map of a label, stretched like the others.
 * @param {Explanation} explanation
 * @param {"cat" | "dog"} label
 */
function ownMap({ evidence, view, size }, label) {
    return { values: stretched(evidence, label), label, view, size };
}

/** @param {number} stage @param {"cat" | "dog"} label @param {string} method */
const alt = (stage, label, method) => t("inside.map-alt", { stage, label: t(`view.label-${label}`), method: METHODS[method] });

/** @param {number} value */
const tenths = (value) => value.toFixed(1);
