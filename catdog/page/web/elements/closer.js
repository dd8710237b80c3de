/**
 * A closer look: the two places that look most like a cat and most like a dog, each enlarged and asked about again.
 */

import { sizeOf } from "../pictures.js";

/**
 * @typedef {import("../engine/types.js").Explanation} Explanation
 * @typedef {import("../engine/types.js").Prediction} Prediction
 * @typedef {import("../engine/types.js").Thresholds} Thresholds
 * @typedef {import("../engine/types.js").Box} Box
 */

const SHARE = 0.5; // of the photo's short side, that of the square that is looked at: a pet there is seen twice as large
const LARGEST_SIDE = 896; // px, of a square that is sent: more than the network sees of it
const QUALITY = 0.92;
const SURE = 1e-6; // nothing is surer than that, so that one sure answer leaves the other one a say

/**
 * @param {ImageBitmap | HTMLImageElement} picture upright
 * @param {Explanation} explanation of the whole picture
 * @param {(crop: Blob) => Promise<Explanation>} explain
 * @returns {Promise<Prediction>} what the whole and both squares say together
 */
export async function lookCloser(picture, explanation, explain) {
    const [cat, dog] = await Promise.all(
        ["cat", "dog"].map(async (label) => explain(await cut(picture, squareOf(explanation, /** @type {any} */ (label)), explanation.size))),
    );
    return merged(explanation.prediction, cat.prediction, dog.prediction, explanation.thresholds);
}

/**
 * The square around the place that speaks most for a label, kept within the picture.
 * @param {Pick<Explanation, "evidence" | "view" | "size">} explanation
 * @param {"cat" | "dog"} label
 * @returns {Box}
 */
export function squareOf({ evidence, view, size: [width, height] }, label) {
    const map = evidence[label];
    const place = map.reduce((best, value, each) => (value > map[best] ? each : best), 0);
    const [left, top, right, bottom] = view;
    const x = left + (((place % evidence.width) + 0.5) / evidence.width) * (right - left);
    const y = top + ((Math.floor(place / evidence.width) + 0.5) / evidence.height) * (bottom - top);
    const side = SHARE * Math.min(width, height);
    const within = (/** @type {number} */ at, /** @type {number} */ length) =>
        Math.round(Math.min(Math.max(at - side / 2, 0), length - side));
    const [first, upper] = [within(x, width), within(y, height)];
    return [first, upper, first + Math.round(side), upper + Math.round(side)];
}

/**
 * Each label's log-odds are the mean of those in the whole picture and in the square of that label.
 * @param {Prediction} whole
 * @param {Pick<Prediction, "cat">} cat of the square that looks most like a cat
 * @param {Pick<Prediction, "dog">} dog of the square that looks most like a dog
 * @param {Thresholds} thresholds
 * @returns {Prediction}
 */
export function merged(whole, cat, dog, thresholds) {
    const together = { cat: between(whole.cat, cat.cat), dog: between(whole.dog, dog.dog) };
    return { ...together, verdict: verdictOf(together, thresholds), logits: whole.logits };
}

/**
 * @param {{cat: number, dog: number}} probabilities
 * @param {Thresholds} thresholds
 * @returns {Prediction["verdict"]}
 */
export function verdictOf({ cat, dog }, { both, neither }) {
    if (Math.max(cat, dog) < neither) return "neither";
    if (Math.min(cat, dog) >= both) return "both";
    return cat >= dog ? "cat" : "dog";
}

/**
 * @param {number} first probability
 * @param {number} second probability
 */
function between(first, second) {
    return 1 / (1 + Math.exp(-(logOdds(first) + logOdds(second)) / 2));
}

/** @param {number} probability */
function logOdds(probability) {
    const kept = Math.min(Math.max(probability, SURE), 1 - SURE);
    return Math.log(kept / (1 - kept));
}

/**
 * @param {ImageBitmap | HTMLImageElement} picture
 * @param {Box} box in pixels of the upright photo
 * @param {[number, number]} size of that photo; what the browser has drawn may be smaller
 * @returns {Promise<Blob>}
 */
function cut(picture, [left, top, right, bottom], size) {
    const shrink = sizeOf(picture)[0] / size[0];
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = Math.max(1, Math.round(Math.min(LARGEST_SIDE, (right - left) * shrink)));
    canvas.getContext("2d")?.drawImage(
        picture, left * shrink, top * shrink, (right - left) * shrink, (bottom - top) * shrink, 0, 0, canvas.width, canvas.height,
    );
    return new Promise((resolve, reject) => {
        canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/jpeg", QUALITY);
    });
}
