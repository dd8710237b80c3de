/** An answer as JSON, with the fields of the /explain endpoint. */

/**
 * @typedef {import("../engine/types.js").Explanation} Explanation
 * @typedef {import("../engine/types.js").Maps} Maps
 */

/**
 * @param {Explanation} explanation
 * @returns {string}
 */
export function answerJson({ prediction, evidence, extent, bias, view, boxes, size, thresholds, scale }) {
    const fields = {
        prediction, evidence: rowsOf(evidence), bias, view, boxes, extent: extent && rowsOf(extent), size, thresholds, scale,
    };
    return JSON.stringify(fields, null, 1);
}

/**
 * @param {Maps} maps
 * @returns {number[][][]} cat, dog: each a list of rows
 */
function rowsOf({ height, width, cat, dog }) {
    return [cat, dog].map((map) =>
        Array.from({ length: height }, (_, row) => Array.from(map.subarray(row * width, (row + 1) * width))));
}
