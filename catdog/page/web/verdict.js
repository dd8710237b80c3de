/**
 * Probabilities to a sentence that carries its doubt.
 *
 * The bands are of calibrated probabilities. On 1,578 held-out photos of one pet or of neither, each with two labels, the
 * shipped checkpoint is right like this: "probably" three times in four, "perhaps" a little more often than a coin.
 *
 *     probability     labels that were there    said of a dog
 *     0.90 and up     1,091 of 1,094            "A dog."
 *     0.70 to 0.90       27 of 36               "Probably a dog."
 *     0.50 to 0.70       14 of 23               "Perhaps a dog, not sure."
 *     0.20 to 0.50        9 of 32               "Not sure: something like a dog."
 *     below 0.20         21 of 1,971            "Neither a cat nor a dog."
 *
 * Whether a probability counts is the thresholds' to say: with another one than 0.50 the third and the fourth line meet elsewhere.
 */
import { whereabouts } from "./evidence.js";

/** @typedef {import("./engine/types.js").Prediction} Prediction */
/** @typedef {import("./engine/types.js").Explanation} Explanation */
/** @typedef {import("./engine/types.js").Thresholds} Thresholds */

const SURE = 0.9;
const LIKELY = 0.7;
const HINT = 0.2; // from here on, a photo of neither has something of the label

/**
 * The code of the sentence. It names what the verdict names, whatever the thresholds are; only its doubt is chosen here.
 * @param {Prediction} prediction
 * @returns {string}
 */
export function sentenceCode({ cat, dog, verdict }) {
    const first = cat >= dog ? "cat" : "dog";
    const larger = Math.max(cat, dog), smaller = Math.min(cat, dog);
    const band = (/** @type {number} */ probability) =>
        probability >= SURE ? "sure" : probability >= LIKELY ? "likely" : "unsure";
    if (verdict === "neither") return larger < HINT ? "verdict.says-neither" : `verdict.says-something-${first}`;
    if (verdict !== "both") return `verdict.says-${verdict}-${band(larger)}`;
    if (smaller >= LIKELY || larger < LIKELY) return `verdict.says-both-${band(smaller)}`;
    return `verdict.says-${first}-too-${band(larger)}`;
}

/**
 * For each bar the threshold that decides about it: the larger probability's is that of `neither`, and once it is reached,
 * the smaller one's that of `both`. So a bar reaches its tick where the verdict names its label.
 * @param {Prediction} prediction
 * @param {Thresholds} thresholds
 * @returns {{cat: number, dog: number}}
 */
export function ticks({ cat, dog, verdict }, { both, neither }) {
    if (verdict === "neither") return { cat: neither, dog: neither };
    const first = verdict === "both" ? (cat >= dog ? "cat" : "dog") : verdict; // rounded, they may be equal
    return first === "cat" ? { cat: neither, dog: both } : { cat: both, dog: neither };
}

/**
 * In whole percent, rounded towards doubt, which is a half: never 0% or 100%. As catdog.decision.percent.
 * @param {number} probability
 */
export function percent(probability) {
    if (probability > 0.99) return ">99%";
    if (probability < 0.01) return "<1%";
    const exact = Number((100 * probability).toFixed(6)); // 100 * 0.57 is 56.99999999999999
    return `${exact > 50 ? Math.floor(exact) : Math.ceil(exact)}%`;
}

/**
 * An answer for who cannot see it: verdict, probabilities, and where.
 * @param {Explanation} explanation
 * @param {(code: string, values?: Record<string, string | number>) => string} t
 */
export function describe(explanation, t) {
    const { prediction } = explanation;
    const named = /** @type {("cat" | "dog")[]} */ (["cat", "dog"]).filter(
        (label) => prediction.verdict === label || prediction.verdict === "both",
    );
    const values = { cat: percent(prediction.cat), dog: percent(prediction.dog) };
    const places = named.map((label) => {
        const place = whereabouts(explanation, label);
        return place ? t(`view.where-${label}`, { place: t(`view.place-${place}`) }) : t(`view.fills-${label}`);
    });
    return [t(sentenceCode(prediction)), t("verdict.percentages", values), ...places].join(" ");
}
