/** From a picture to the network's input, as `EvaluationPreset` in catdog/transforms.py. */
import { scaled } from "./resample.js";

/** @typedef {import("../types.js").Box} Box */

export const MEAN = [0.485, 0.456, 0.406]; // of ImageNet's red, green, blue in [0, 1]
export const STD = [0.229, 0.224, 0.225];
const STRIDE = 32; // input pixels between neighboring places of the last feature map
const LONGEST = 2; // the input's long side in short sides; longer pictures are squashed to it
const TUTORIAL = 256 / 224; // "resize 256, center crop 224"

/**
 * The input's height and width.
 * @param {number} width of the picture
 * @param {number} height
 * @param {number} size of the input's short side, in pixels
 * @param {"whole" | "squash" | "crop"} resize
 * @returns {[number, number]}
 */
export function shapeOf(width, height, size, resize) {
    if (resize !== "whole") return [size, size];
    const ratio = Math.min(Math.max(width, height) / Math.min(width, height), LONGEST);
    const long = STRIDE * rounded((size * ratio) / STRIDE);
    return width >= height ? [size, long] : [long, size];
}

/**
 * The part of the picture that the network sees.
 * @param {number} width
 * @param {number} height
 * @param {"whole" | "squash" | "crop"} resize
 * @returns {Box}
 */
export function viewOf(width, height, resize) {
    if (resize !== "crop") return [0, 0, width, height];
    const side = Math.min(width, height) / TUTORIAL, least = Math.max(side, 1);
    const left = (width - side) / 2, top = (height - side) / 2;
    return [rounded(left), rounded(top), rounded(left + least), rounded(top + least)];
}

/**
 * @param {{data: Uint8ClampedArray, width: number, height: number}} picture upright, opaque, in sRGB
 * @param {number} size of the input's short side, in pixels
 * @param {"whole" | "squash" | "crop"} resize
 * @param {[number, number]} [full] width and height of the picture before it was made smaller, which decide the shape
 * @returns {{input: Float32Array, shape: [number, number]}} channel by channel, row by row; height and width
 */
export function inputOf({ data, width, height }, size, resize, full = [width, height]) {
    const [rows, columns] = shapeOf(...full, size, resize), places = rows * columns;
    const small = scaled(data, width, height, viewOf(width, height, resize), columns, rows);
    const input = new Float32Array(3 * places);
    for (let channel = 0; channel < 3; channel++) {
        const levels = Float32Array.from({ length: 256 }, (_, level) => normalized(level, MEAN[channel], STD[channel]));
        for (let place = 0; place < places; place++) input[channel * places + place] = levels[small[3 * place + channel]];
    }
    return { input, shape: [rows, columns] };
}

/**
 * In single precision at every step, as PyTorch computes it.
 * @param {number} level 0 to 255
 * @param {number} mean
 * @param {number} std
 */
function normalized(level, mean, std) {
    const { fround } = Math;
    return fround(fround(fround(level * fround(1 / 255)) - fround(mean)) / fround(std));
}

/**
 * To the nearest whole number, and halves to the even one, as Python rounds.
 * @param {number} value
 */
export function rounded(value) {
    const down = Math.floor(value);
    if (value - down === 0.5) return down % 2 ? down + 1 : down;
    return Math.round(value);
}
