/** From what the network gives to an answer, as catdog/decision.py and catdog/evidence.py. */
import { rounded } from "./input.js";
import { enlarged } from "./resample.js";

/** @typedef {import("../types.js").Box} Box */
/** @typedef {import("../types.js").Label} Label */
/** @typedef {import("../types.js").Maps} Maps */
/** @typedef {import("../types.js").Prediction} Prediction */
/** @typedef {[number, number]} Pair of cat and dog */

/**
 * What a checkpoint says of how its logits become an answer.
 * @typedef {{head: "sigmoid" | "softmax", temperature: Pair, offset: Pair, top_weight: Pair, present: number, both: number,
 *   box_threshold: number}} Calibration
 */

const STRONGEST = 1 / 8; // of all places
const FINE = 112; // places a side, at least, before a box is drawn around a region
const MOST = 500; // of a score: beyond it the exponential has no number
/** @type {Label[]} */
export const LABELS = ["cat", "dog"];

/**
 * @param {Pair} logits
 * @param {Maps} evidence
 * @param {Calibration} calibration
 * @returns {Prediction}
 */
export function predictionOf(logits, evidence, calibration) {
    const { head, temperature, offset, top_weight: weight, present, both } = calibration;
    let scores = LABELS.map((label, index) => {
        const score = logits[index] + weight[index] * strongest(evidence[label]);
        return score / temperature[index] + offset[index];
    });
    if (head === "softmax") scores = [scores[0] - scores[1], scores[1] - scores[0]];
    const [cat, dog] = scores.map((score) => 1 / (1 + Math.exp(-Math.min(MOST, Math.max(-MOST, score)))));
    const verdict =
        Math.max(cat, dog) < present ? "neither" : Math.min(cat, dog) >= both ? "both" : cat >= dog ? "cat" : "dog";
    return { cat, dog, verdict, logits };
}

/**
 * What a logit, less its bias, would be if the whole photo looked like the eighth of it that speaks most for the label.
 * @param {Float32Array} evidence
 */
export function strongest(evidence) {
    const count = Math.max(1, rounded(evidence.length * STRONGEST));
    const most = evidence.slice().sort().slice(evidence.length - count);
    return (most.reduce((sum, value) => sum + value, 0) / count) * evidence.length;
}

/**
 * The boxes of what a verdict names.
 * @param {Maps} extent
 * @param {Prediction["verdict"]} verdict
 * @param {Box} view the part of the picture that the map covers
 * @param {number} threshold share of a map's peak
 * @returns {{cat: Box | null, dog: Box | null}}
 */
export function boxesOf({ cat, dog, height, width }, verdict, view, threshold) {
    const boxOf = (/** @type {Float32Array} */ own, /** @type {Float32Array} */ other, /** @type {Label} */ label) => {
        if (verdict !== label && verdict !== "both") return null;
        const values = verdict === "both" ? own.map((value, place) => (value >= other[place] ? value : 0)) : own;
        return boxAround(values, width, height, view, threshold);
    };
    return { cat: boxOf(cat, dog, "cat"), dog: boxOf(dog, cat, "dog") };
}

/**
 * The box around the connected region that holds a map's peak and is at least a share of it everywhere.
 * @param {Float32Array} values
 * @param {number} width
 * @param {number} height
 * @param {Box} view
 * @param {number} threshold
 * @returns {Box | null} null where no place is above 0
 */
export function boxAround(values, width, height, view, threshold) {
    const times = Math.ceil(FINE / Math.min(height, width));
    const columns = width * times, rows = height * times;
    const fine = enlarged(values.map((value) => Math.max(value, 0)), width, height, columns, rows);
    let peak = 0;
    fine.forEach((value, place) => {
        if (value > fine[peak]) peak = place;
    });
    if (fine[peak] <= 0) return null;
    const least = Math.fround(threshold * fine[peak]);
    const seen = new Uint8Array(fine.length), open = [peak];
    seen[peak] = 1;
    let [left, right] = [columns, 0], [top, bottom] = [rows, 0];
    while (open.length) {
        const place = /** @type {number} */ (open.pop());
        const column = place % columns, row = (place - column) / columns;
        left = Math.min(left, column);
        right = Math.max(right, column + 1);
        top = Math.min(top, row);
        bottom = Math.max(bottom, row + 1);
        const around = [
            column > 0 ? place - 1 : -1,
            column < columns - 1 ? place + 1 : -1,
            place - columns,
            place + columns < fine.length ? place + columns : -1,
        ];
        for (const next of around) {
            if (next < 0 || seen[next] || fine[next] < least) continue;
            seen[next] = 1;
            open.push(next);
        }
    }
    const across = (view[2] - view[0]) / columns, down = (view[3] - view[1]) / rows;
    return [
        rounded(view[0] + left * across),
        rounded(view[1] + top * down),
        rounded(view[0] + right * across),
        rounded(view[1] + bottom * down),
    ];
}
