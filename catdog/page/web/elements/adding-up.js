/** How an answer comes about, in numbers that add up as they are shown: places, their sum, bias, calibration, probability. */
import { predictionOf, strongest } from "../engine/device/answer.js";

/** @typedef {import("../engine/types.js").Explanation} Explanation */
/** @typedef {import("../engine/types.js").Label} Label */
/** @typedef {import("../engine/device/answer.js").Calibration} Calibration */
/**
 * @typedef {object} Steps
 * @property {number[]} places in logits, row by row; those that are left out are 0
 * @property {number} sum of them
 * @property {number} bias
 * @property {number} logit
 * @property {number} top what the strongest places add beside the sum
 * @property {number} temperature
 * @property {number} offset
 * @property {number} score
 * @property {number} probability that of the exact numbers
 */

const DIGITS = 2;
const UNIT = 10 ** -DIGITS;

/**
 * @param {Explanation} explanation
 * @param {Label} label
 * @param {Calibration} calibration of a head with two labels
 * @param {ReadonlySet<number>} left the places that are left out
 * @returns {Steps} rounded to hundredths so that each sum is that of what is shown
 */
export function stepsOf({ evidence, bias }, label, calibration, left) {
    const at = label === "cat" ? 0 : 1, other = label === "cat" ? "dog" : "cat";
    const own = evidence[label].map((value, place) => (left.has(place) ? 0 : value));
    const exact = own.reduce((sum, value) => sum + value, 0);
    const places = roundedTogether(own, exact);
    const logit = rounded(exact + bias[at]);
    const sum = rounded(places.reduce((total, value) => total + value, 0));
    const top = rounded(calibration.top_weight[at] * strongest(own));
    const temperature = rounded(calibration.temperature[at]), offset = rounded(calibration.offset[at]);
    const logits = /** @type {[number, number]} */ ([0, 0]);
    logits[at] = exact + bias[at];
    const maps = { ...evidence, [label]: own, [other]: evidence[other] };
    const probability = predictionOf(logits, maps, calibration)[label];
    return {
        places, sum, bias: rounded(logit - sum), logit, top, temperature, offset,
        score: rounded((logit + top) / temperature + offset), probability,
    };
}

/**
 * Each value in hundredths, those with the largest remainders a hundredth more: together they are the rounded sum.
 * @param {Float32Array} values
 * @param {number} sum
 * @returns {number[]}
 */
export function roundedTogether(values, sum) {
    const floors = Array.from(values, (value) => Math.floor(value / UNIT));
    const missing = Math.round(sum / UNIT) - floors.reduce((total, value) => total + value, 0);
    const byRemainder = floors.map((_, place) => place).sort((a, b) => values[b] / UNIT - floors[b] - (values[a] / UNIT - floors[a]));
    for (const place of byRemainder.slice(0, missing)) floors[place]++;
    return floors.map((value) => rounded(value * UNIT));
}

/** With its sign, as it is added. @param {number} value */
export const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(DIGITS)}`;

/** @param {number} value */
const rounded = (value) => Number(value.toFixed(DIGITS));
