/** Evidence as colors and words: the same picture as catdog/render.py, on one scale for every photo. */

/** @typedef {import("./engine/types.js").Explanation} Explanation */
/** @typedef {import("./engine/types.js").Maps} Maps */
/** @typedef {import("./engine/types.js").Box} Box */
/** @typedef {"cat" | "dog" | "both" | "difference" | "photo"} Show */
/** @typedef {[number, number, number]} Color */

export const STRENGTH = 0.75; // opacity of evidence at the scale's end, so that the photo stays visible under it
export const SATURATION = 0.25; // of the photo under the evidence: an orange cat hides orange evidence
export const VEIL = 0.7; // opacity of the gray over what the network did not see
export const UNSEEN = [128, 128, 128];
/** @type {{names: {cat: string, dog: string}, cat: Color, dog: Color}[]} each apart for every kind of color blindness */
export const PAIRS = [
    { names: { cat: "orange", dog: "blue" }, cat: [230, 120, 0], dog: [0, 110, 190] },
    { names: { cat: "yellow", dog: "violet" }, cat: [240, 200, 0], dog: [110, 50, 180] },
    { names: { cat: "red", dog: "teal" }, cat: [200, 30, 40], dog: [0, 170, 190] },
];
const DRAWN = 168; // px, about the longer side in which a map is drawn; the browser enlarges it from there
const LEAST_TIMES = 6; // drawn pixels a place: with fewer one would see how they are joined
const MOST_TIMES = 32;
const VERY = 0.5; // of the scale
const SOMEWHAT = 0.1; // of the scale; below it there is nothing to see either

const MOST_OF_PHOTO = 0.7; // of its area: whose box is larger has no side of it

/**
 * Of black and white, which is read better on a color.
 * @param {Color} color
 */
export function onColor([red, green, blue]) {
    return 0.299 * red + 0.587 * green + 0.114 * blue > 110 ? "black" : "white";
}

/**
 * What is shown of the evidence, as shares of the scale: nothing where a place speaks against a label.
 * @param {Maps} evidence in logits
 * @param {number} scale logits of evidence times places at full color
 * @param {Show} show
 * @returns {Maps} 0 and up
 */
export function sharesOf({ height, width, cat, dog }, scale, show) {
    const factor = (height * width) / scale;
    const shown = { height, width, cat: new Float32Array(cat.length), dog: new Float32Array(dog.length) };
    for (let place = 0; place < cat.length; place++) {
        const against = show === "difference";
        const catValue = cat[place] - (against ? dog[place] : 0);
        const dogValue = dog[place] - (against ? cat[place] : 0);
        if (show !== "dog" && show !== "photo") shown.cat[place] = Math.max(0, catValue * factor);
        if (show !== "cat" && show !== "photo") shown.dog[place] = Math.max(0, dogValue * factor);
    }
    return shown;
}

/**
 * A map enlarged smoothly, by bicubic interpolation as in catdog/evidence.py. No point gets more or less than the places
 * around it have.
 * @param {Maps} maps
 * @param {number} [times] pixels a place
 * @returns {Maps}
 */
export function smooth({ height, width, cat, dog }, times = timesFor(height, width)) {
    const across = taps(width, times), down = taps(height, times);
    const enlarged = (/** @type {Float32Array} */ map) => enlargeRows(enlargeColumns(map, width, across), width * times, down);
    return { height: height * times, width: width * times, cat: enlarged(cat), dog: enlarged(dog) };
}

/**
 * @param {number} height
 * @param {number} width
 */
function timesFor(height, width) {
    return Math.min(MOST_TIMES, Math.max(LEAST_TIMES, Math.round(DRAWN / Math.max(height, width))));
}

/**
 * Shares as colors: opacity by the larger one, the color by both.
 * @param {Maps} shares
 * @param {{cat: Color, dog: Color}} colors
 * @returns {Uint8ClampedArray<ArrayBuffer>} red, green, blue, opacity, row by row
 */
export function colored({ height, width, cat, dog }, colors) {
    const pixels = new Uint8ClampedArray(4 * height * width);
    const [catRed, catGreen, catBlue] = colors.cat, [dogRed, dogGreen, dogBlue] = colors.dog;
    for (let place = 0, at = 0; place < cat.length; place++, at += 4) {
        const catShare = Math.min(1, cat[place]), dogShare = Math.min(1, dog[place]);
        const total = catShare + dogShare;
        if (total === 0) continue;
        pixels[at] = (catRed * catShare + dogRed * dogShare) / total;
        pixels[at + 1] = (catGreen * catShare + dogGreen * dogShare) / total;
        pixels[at + 2] = (catBlue * catShare + dogBlue * dogShare) / total;
        pixels[at + 3] = 255 * Math.max(catShare, dogShare);
    }
    return pixels;
}

/**
 * For each pixel along a side the places that it is made of and their weights; at the edge there are fewer.
 * @param {number} places
 * @param {number} times
 * @returns {{first: number, weights: number[]}[]}
 */
function taps(places, times) {
    return Array.from({ length: places * times }, (_, pixel) => {
        const at = (pixel + 0.5) / times;
        const first = Math.max(0, Math.floor(at - 1.5)), last = Math.min(places, Math.floor(at + 2.5));
        const weights = Array.from({ length: last - first }, (_, n) => cubic(first + n + 0.5 - at));
        const sum = weights.reduce((a, b) => a + b);
        return { first, weights: weights.map((weight) => weight / sum) };
    });
}

/**
 * Keys' cubic kernel with a = -0.5, Pillow's.
 * @param {number} x
 */
function cubic(x) {
    const d = Math.abs(x);
    return d < 1 ? (1.5 * d - 2.5) * d * d + 1 : d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

/**
 * @param {Float32Array} map
 * @param {number} width places
 * @param {{first: number, weights: number[]}[]} across
 */
function enlargeColumns(map, width, across) {
    const wide = new Float32Array((map.length / width) * across.length);
    let index = 0;
    for (let row = 0; row < map.length; row += width) {
        for (const { first, weights } of across) wide[index++] = weighed(map, row + first, 1, weights);
    }
    return wide;
}

/**
 * @param {Float32Array} map
 * @param {number} width pixels
 * @param {{first: number, weights: number[]}[]} down
 */
function enlargeRows(map, width, down) {
    const fine = new Float32Array(down.length * width);
    let index = 0;
    for (const { first, weights } of down) {
        for (let x = 0; x < width; x++) fine[index++] = weighed(map, first * width + x, width, weights);
    }
    return fine;
}

/**
 * The weighted sum of a few values, kept between the least and the most of them: a cubic kernel may leave their range.
 * @param {Float32Array} values
 * @param {number} start
 * @param {number} step
 * @param {number[]} weights
 */
function weighed(values, start, step, weights) {
    let sum = 0, least = Infinity, most = -Infinity;
    for (let n = 0, at = start; n < weights.length; n++, at += step) {
        const value = values[at];
        sum += weights[n] * value;
        if (value < least) least = value;
        if (value > most) most = value;
    }
    return sum < least ? least : sum > most ? most : sum;
}

/**
 * The place of the map under a point of the picture.
 * @param {Explanation} explanation
 * @param {number} x pixels of the upright picture
 * @param {number} y
 * @returns {{row: number, column: number} | null} null where the network did not look
 */
export function placeAt({ view: [left, top, right, bottom], evidence: { height, width } }, x, y) {
    if (x < left || y < top || x >= right || y >= bottom) return null;
    const row = Math.floor(((y - top) / (bottom - top)) * height), column = Math.floor(((x - left) / (right - left)) * width);
    return { row, column };
}

/**
 * What a place covers of the picture.
 * @param {Explanation} explanation
 * @param {{row: number, column: number}} place
 * @returns {Box}
 */
export function boxOfPlace({ view: [left, top, right, bottom], evidence: { height, width } }, { row, column }) {
    const across = (right - left) / width, down = (bottom - top) / height;
    return [left + column * across, top + row * down, left + (column + 1) * across, top + (row + 1) * down];
}

/**
 * All that a map's places say together: with the bias it is the logit.
 * @param {Maps} evidence
 * @returns {{cat: number, dog: number}} in logits
 */
export function totals({ cat, dog }) {
    const sum = (/** @type {Float32Array} */ map) => map.reduce((a, b) => a + b, 0);
    return { cat: sum(cat), dog: sum(dog) };
}

/**
 * What a place says, as shares of the scale; below 0 it speaks against the label.
 * @param {Explanation} explanation
 * @param {{row: number, column: number}} place
 * @returns {{cat: number, dog: number}}
 */
export function shareAt({ evidence: { height, width, cat, dog }, scale }, { row, column }) {
    const factor = (height * width) / scale, index = row * width + column;
    return { cat: cat[index] * factor, dog: dog[index] * factor };
}

/**
 * The same in words: what it looks like, most first.
 * @param {{cat: number, dog: number}} shares of the scale
 * @param {(code: string, values?: Record<string, string>) => string} t
 */
export function here(shares, t) {
    const labels = /** @type {("cat" | "dog")[]} */ (shares.cat >= shares.dog ? ["cat", "dog"] : ["dog", "cat"]);
    const degree = (/** @type {number} */ share) =>
        share >= VERY ? "very" : share >= SOMEWHAT ? "somewhat" : share > -SOMEWHAT ? null : "not";
    const [first, second] = labels.map((label) => ({ label, degree: degree(shares[label]) }));
    if (first.degree !== "very" && first.degree !== "somewhat") return t("view.here-nothing");
    const words = (/** @type {{label: string, degree: string | null}} */ each) => t(`view.like-${each.label}-${each.degree}`);
    if (!second.degree) return t("view.here", { what: words(first) });
    return t("view.here-two", { first: words(first), second: words(second) });
}

/**
 * Where a label's pet is: the middle of its box, or the place that speaks most for it.
 * @param {Explanation} explanation
 * @param {"cat" | "dog"} label
 * @returns {string | null} such as `upper-left`; null where it fills the photo
 */
export function whereabouts(explanation, label) {
    const [width, height] = explanation.size;
    const [left, top, right, bottom] = explanation.boxes[label] ?? peak(explanation, label);
    if ((right - left) * (bottom - top) > MOST_OF_PHOTO * width * height) return null;
    const third = (/** @type {number} */ middle, /** @type {number} */ length) => Math.min(2, Math.floor((3 * middle) / length));
    const row = third((top + bottom) / 2, height), column = third((left + right) / 2, width);
    return [
        ["upper-left", "top", "upper-right"],
        ["left", "middle", "right"],
        ["lower-left", "bottom", "lower-right"],
    ][row][column];
}

/**
 * @param {Explanation} explanation
 * @param {"cat" | "dog"} label
 * @returns {Box} of the place that says most for it
 */
function peak(explanation, label) {
    const { width, [label]: map } = explanation.evidence;
    const index = map.indexOf(Math.max(...map));
    return boxOfPlace(explanation, { row: Math.floor(index / width), column: index % width });
}
