/** Draws evidence on canvases: the map alone, and the whole picture as it is saved or shared. */
import { PAIRS, SATURATION, STRENGTH, UNSEEN, VEIL, colored, onColor, sharesOf, smooth } from "./evidence.js";

/** @typedef {import("./engine/types.js").Explanation} Explanation */
/** @typedef {import("./engine/types.js").Box} Box */
/** @typedef {{show: import("./evidence.js").Show, boxes: boolean, opacity: number, colors: number}} Look */

/**
 * The map in colors, smooth and small; whoever shows it enlarges it.
 * @param {HTMLCanvasElement} canvas
 * @param {Explanation} explanation
 * @param {Look} look
 */
export function drawMap(canvas, { evidence, scale }, { show, colors }) {
    const fine = smooth(sharesOf(evidence, scale, show));
    canvas.width = fine.width;
    canvas.height = fine.height;
    const pixels = new ImageData(colored(fine, PAIRS[colors]), fine.width, fine.height);
    canvas.getContext("2d")?.putImageData(pixels, 0, 0);
}

/**
 * How much of the photo's color is taken away under evidence of this opacity.
 * @param {number} opacity
 */
export function graying(opacity) {
    return (1 - SATURATION) * Math.min(1, opacity / STRENGTH);
}

/**
 * @param {CanvasRenderingContext2D} context of a canvas with the picture's shape
 * @param {CanvasImageSource} picture
 * @param {Explanation | null} explanation
 * @param {CanvasImageSource} map what `drawMap` drew
 * @param {Look} look
 * @param {{cat: string, dog: string}} names on the boxes
 */
export function drawAll(context, picture, explanation, map, look, names) {
    const { width, height } = context.canvas;
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0, 0, width, height);
    if (!explanation) return;
    const across = width / explanation.size[0], down = height / explanation.size[1];
    const scaled = (/** @type {Box} */ [left, top, right, bottom]) =>
        /** @type {Box} */ ([left * across, top * down, right * across, bottom * down]);
    const view = scaled(explanation.view);
    if (look.show !== "photo") tint(context, map, view, look.opacity);
    veil(context, view);
    if (!look.boxes) return;
    for (const label of /** @type {const} */ (["cat", "dog"])) {
        const box = explanation.boxes[label];
        if (box) frame(context, scaled(box), PAIRS[look.colors][label], names[label]);
    }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {CanvasImageSource} map
 * @param {Box} view
 * @param {number} opacity
 */
function tint(context, map, [left, top, right, bottom], opacity) {
    context.save();
    context.globalCompositeOperation = "saturation"; // that of gray is none
    context.globalAlpha = graying(opacity);
    context.fillStyle = "gray";
    context.fillRect(left, top, right - left, bottom - top);
    context.globalCompositeOperation = "source-over";
    context.globalAlpha = opacity;
    context.imageSmoothingQuality = "low"; // linear: the map is smooth already
    context.drawImage(map, left, top, right - left, bottom - top);
    context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Box} view
 */
function veil(context, [left, top, right, bottom]) {
    const { width, height } = context.canvas;
    context.fillStyle = `rgb(${UNSEEN.join(" ")} / ${VEIL})`;
    context.beginPath();
    context.rect(0, 0, width, height);
    context.rect(left, top, right - left, bottom - top);
    context.fill("evenodd");
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Box} box
 * @param {import("./evidence.js").Color} color
 * @param {string} name
 */
function frame(context, [left, top, right, bottom], color, name) {
    const line = Math.max(2, Math.round(Math.min(context.canvas.width, context.canvas.height) / 150));
    const size = 7 * line;
    context.strokeStyle = context.fillStyle = `rgb(${color.join(" ")})`;
    context.lineWidth = line;
    context.strokeRect(left + line / 2, top + line / 2, right - left - line, bottom - top - line);
    context.font = `600 ${size}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    context.fillRect(left, top, context.measureText(name).width + size, size * 1.6);
    context.fillStyle = onColor(color);
    context.fillText(name, left + size / 2, top + size * 0.85);
}
