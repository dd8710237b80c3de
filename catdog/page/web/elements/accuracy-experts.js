// The accuracy tab's part for experts: intervals, calibration, ROC, confusion, and what the checkpoint was made from.
import { bothEnds, evenAround, nearlyAll, small, tenAbove } from "../scales.js";
import { html, nothing } from "../vendor/lit.js";
import { languageTag, t } from "../words.js";
import { axis, curve, interval, plot, reliability } from "./chart.js";

/** @typedef {import("../shares.js").Rate & {code: string, source?: Source}} Named */
/** @typedef {{code: string, number?: number}} Source */

const LABELS = /** @type {const} */ (["cat", "dog"]);
const VERDICTS = ["cat", "dog", "both", "neither"];
const LEAST = 0.002; // where the stretched axes end
const SHADES = [0.005, 0.02, 0.1, 0.5]; // shares of a row, from which a cell is darker

/** @param {any} figures figures.json */
export function experts({ measured, made, card, enough }) {
    return html`${measured ? scores(measured, enough) : nothing}${origin(made)}${card ? modelCard(card) : nothing}`;
}

/** @param {any} measured @param {number} enough */
function scores({ right, wrong, loss, calibration, detection, confusion }, enough) {
    return html`
        ${rates("right", right, enough)}${rates("wrong", wrong, enough)}
        <p class="soft small">${t("accuracy.interval")}</p>
        <ul class="numbers">
            ${loss?.interval ? html`<li>${t("accuracy.loss", lossValues(loss))}</li>` : nothing}
            ${LABELS.filter((label) => calibration?.[label]).map((label) => {
                const { value, chance } = calibration[label];
                return html`<li>${t(`accuracy.calibration-${label}`, { error: tenths(value), chance: tenths(chance) })}</li>`;
            })}
            ${detection ? html`<li>${t("accuracy.auroc", { area: detection.auroc.toFixed(4) })}</li>` : nothing}
        </ul>
        ${detection ? calibrationPlots(detection.reliability) : nothing}
        <div class="pair">${detection?.roc.length ? rocPlot(detection) : nothing}${confusionTable(confusion)}</div>`;
}

/** @param {"right" | "wrong"} code @param {Named[]} all @param {number} enough */
function rates(code, all, enough) {
    if (!all.length) return nothing;
    const scale = evenAround(all.filter((rate) => rate.n >= enough).concat(all.every((rate) => rate.n < enough) ? all : []));
    return html`<h3>${t(`accuracy.${code}`)}</h3>
        <ul class="rates">
            ${all.map((rate) => html`<li>
                <span class="what">${t(`figure.${rate.code}`, rate.source ? { source: sourceName(rate.source) } : {})}</span>
                <b class="number">${tenths(rate.value)}</b>
                <span class="soft small number">${range(rate)} · ${t("accuracy.of", { k: whole(rate.k), n: whole(rate.n) })}
                    ${rate.n < enough ? html`· ${t("accuracy.few")}` : nothing}</span>
                ${interval(rate, scale)}
            </li>`)}
            <li aria-hidden="true">${axis(scale, percent)}</li>
        </ul>`;
}

/** @param {Record<string, any[]>} bins by label; early checkpoints have none */
function calibrationPlots(bins) {
    const ends = bothEnds(LEAST), labels = LABELS.filter((label) => bins[label]?.length);
    if (!labels.length) return nothing;
    return html`
        <h3>${t("accuracy.reliability")}</h3>
        <div class="pair">${labels.map((label) => html`<figure>
            <figcaption><b>${t(`accuracy.${label}`)}</b> ↑ ${t("accuracy.true")}</figcaption>
            ${plot({
                x: ends,
                y: ends,
                format: percent,
                label: t(`accuracy.reliability-alt-${label}`, heldBins(bins[label])),
                marks: reliability(bins[label], ends, label),
            })}
            <p class="across">${t("accuracy.given")} →</p>
        </figure>`)}</div>
        <p class="soft small">${t("accuracy.reliability-text")}</p>`;
}

/** @param {any} detection */
function rocPlot({ roc, decided }) {
    const start = roc.findLast((/** @type {number[]} */ [across]) => across === 0)[1];
    const x = small(LEAST), y = nearlyAll(LEAST, tenAbove(Math.max(1 - start, 0.1)));
    return html`<figure>
        <h3>${t("accuracy.roc")}</h3>
        <p class="small soft">↑ ${t("accuracy.roc-y")}</p>
        ${plot({
            x,
            y,
            format: percent,
            label: t("accuracy.roc-alt", { found: percent(decided[1]), false: percent(decided[0]) }),
            marks: curve(roc, decided, x, y),
        })}
        <p class="across">${t("accuracy.roc-x")} →</p>
        <figcaption class="soft small">${t("accuracy.roc-text")}</figcaption>
    </figure>`;
}

/** In how many bins the interval holds the probability that was given. @param {number[][]} bins */
function heldBins(bins) {
    return { bins: bins.filter(([mean, , , low, high]) => low <= mean && mean <= high).length, all: bins.length };
}

/** @param {Record<string, Record<string, number>>} confusion what photos show -> what they were called -> count */
function confusionTable(confusion) {
    const shown = VERDICTS.filter((verdict) => confusion[verdict]);
    return html`<div class="wide"><h3>${t("accuracy.confusion")}</h3><table class="confusion">
        <thead><tr><td class="soft">${t("accuracy.shows-called")}</td>
            ${VERDICTS.map((called) => html`<th scope="col">${t(`accuracy.verdict-${called}`)}</th>`)}</tr></thead>
        <tbody>${shown.map((verdict) => {
            const row = VERDICTS.map((called) => confusion[verdict][called] ?? 0);
            const total = Math.max(row.reduce((sum, count) => sum + count, 0), 1);
            return html`<tr><th scope="row">${t(`accuracy.verdict-${verdict}`)}</th>
                ${row.map((count, place) => {
                    const shade = SHADES.filter((share) => count / total >= share).length;
                    return html`<td class="${VERDICTS[place] === verdict ? "right" : "wrong"} shade-${shade}">${whole(count)}</td>`;
                })}</tr>`;
        })}</tbody>
    </table></div>`;
}

/** @param {any} made */
function origin(made) {
    const { architecture, input_size: size, head, present, both, epochs, best, commit, photos } = made;
    return html`<h3>${t("accuracy.made")}</h3>
        <ul class="numbers">
            <li>${t("accuracy.network", { architecture: architecture.replace("resnet", "ResNet-"), size })}</li>
            ${head === "softmax" ? nothing : html`<li>${t("accuracy.thresholds", { present: present.toFixed(2), both: both.toFixed(2) })}</li>`}
            ${epochs ? html`<li>${t("accuracy.trained", { epochs, best })}</li>` : nothing}
            ${commit ? html`<li>${t("accuracy.commit", { commit })}</li>` : nothing}
        </ul>
        ${photos.length ? sourcesTable(photos) : nothing}`;
}

/** @param {{source: Source, label: string, training: number, tuning: number}[]} photos */
function sourcesTable(photos) {
    return html`<div class="wide"><table>
        <thead><tr>${["photos", "shown", "training", "tuning"].map((code) => html`<th scope="col" class=${code === "shown" ? "text" : ""}>${t(`accuracy.${code}`)}</th>`)}</tr></thead>
        <tbody>${photos.map((row) => html`<tr>
            <th scope="row">${sourceName(row.source)}</th>
            <td class="text">${row.label ? t(`accuracy.verdict-${row.label}`) : "–"}</td>
            <td>${whole(row.training)}</td><td>${whole(row.tuning)}</td>
        </tr>`)}</tbody>
    </table></div>`;
}

/** The card is in English, whatever the page's language. @param {any[]} card */
function modelCard(card) {
    return html`<details class="fold"><summary>${t("accuracy.card")}</summary><div class="card" lang="en">${card.map((block) => {
        if (block.heading) return html`<h4>${block.heading}</h4>`;
        if (block.text) return html`<p>${code(block.text)}</p>`;
        return html`<div class="wide"><table>
            <thead><tr>${block.head.map((/** @type {string} */ cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
            <tbody>${block.rows.map((/** @type {string[]} */ row) => html`<tr>${row.map((cell) => html`<td class="text">${code(cell)}</td>`)}</tr>`)}</tbody>
        </table></div>`;
    })}</div></details>`;
}

/** Text with its `code` set as such. @param {string} text */
const code = (text) => text.split("`").map((part, place) => (place % 2 ? html`<code>${part}</code>` : part));

/** @param {Source} source */
const sourceName = ({ code, number }) => t(`figure.source-${code}`, { number: number ?? 0 });

/** @param {{n: number, value: number, interval: [number, number]}} loss */
function lossValues({ n, value, interval: [low, high] }) {
    return { loss: value.toFixed(3), low: Math.max(0, low).toFixed(3), high: high.toFixed(3), n: whole(n) };
}

/** @param {number} share */
const percent = (share) => share.toLocaleString(languageTag(), { style: "percent", maximumFractionDigits: 1 });

/** @param {number} share */
const tenths = (share) => share.toLocaleString(languageTag(), { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** @param {Named} rate */
const range = ({ interval: [low, high] }) => `${tenths(low)} – ${tenths(high)}`;

/** @param {number} count */
const whole = (count) => count.toLocaleString(languageTag());
