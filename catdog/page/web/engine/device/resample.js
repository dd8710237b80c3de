/**
 * Scales pictures and maps as Pillow does, to the last bit, so that the network sees here what it sees in Python: a filter as
 * wide as the step between two pixels of the result, across and then down, weights as fixed-point numbers for 8-bit pictures.
 */

/** @typedef {{support: number, weight: (x: number) => number}} Filter `support` in pixels, at full size */

/** @type {Filter} */
export const BILINEAR = { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) };

/** @type {Filter} with a = -0.5 (Keys 1981) */
export const BICUBIC = {
    support: 2,
    weight(x) {
        const far = Math.abs(x), a = -0.5;
        if (far < 1) return ((a + 2) * far - (a + 3)) * far * far + 1;
        if (far < 2) return (((far - 5) * far + 8) * far - 4) * a;
        return 0;
    },
};

const PRECISION = 22; // bits behind the point of a weight: 32 less 8 for the pixel and 2 for the sum

/**
 * Which pixels each pixel of the result is made of, and by what weights, which add up to 1.
 * @param {number} from where the part to be scaled begins, in pixels
 * @param {number} to where it ends
 * @param {number} size of the whole side
 * @param {number} wanted pixels of the result
 * @param {Filter} filter
 */
function spans(from, to, size, wanted, filter) {
    const scale = (to - from) / wanted;
    const wide = Math.max(scale, 1), support = filter.support * wide;
    return Array.from({ length: wanted }, (_, index) => {
        const center = from + (index + 0.5) * scale;
        const first = Math.max(0, Math.trunc(center - support + 0.5));
        const end = Math.min(size, Math.trunc(center + support + 0.5));
        const weights = new Float64Array(end - first);
        let sum = 0;
        for (let at = 0; at < weights.length; at++) {
            weights[at] = filter.weight((at + first - center + 0.5) * (1 / wide));
            sum += weights[at];
        }
        if (sum !== 0) weights.forEach((weight, at) => (weights[at] = weight / sum));
        return { first, weights };
    });
}

/**
 * A part of an 8-bit picture at another size.
 * @param {Uint8Array | Uint8ClampedArray} pixels red, green, blue and alpha, row by row; alpha is left aside
 * @param {number} width
 * @param {number} height
 * @param {[number, number, number, number]} view the part: left, top, right, bottom in pixels
 * @param {number} newWidth
 * @param {number} newHeight
 * @returns {Uint8Array} red, green and blue, row by row
 */
export function scaled(pixels, width, height, [left, top, right, bottom], newWidth, newHeight) {
    const across = inFixedPoint(spans(left, right, width, newWidth, BILINEAR));
    const down = inFixedPoint(spans(top, bottom, height, newHeight, BILINEAR));
    const begin = down[0].first, end = Math.max(...down.map(({ first, weights }) => first + weights.length));
    const half = 1 << (PRECISION - 1);
    const middle = new Uint8Array(3 * newWidth * (end - begin));
    for (let row = begin, to = 0; row < end; row++) {
        for (const { first, weights } of across) {
            let red = half, green = half, blue = half;
            for (let at = 0, place = 4 * (row * width + first); at < weights.length; at++, place += 4) {
                red += pixels[place] * weights[at];
                green += pixels[place + 1] * weights[at];
                blue += pixels[place + 2] * weights[at];
            }
            middle[to++] = clipped(red);
            middle[to++] = clipped(green);
            middle[to++] = clipped(blue);
        }
    }
    const result = new Uint8Array(3 * newWidth * newHeight), stride = 3 * newWidth;
    down.forEach(({ first, weights }, row) => {
        for (let column = 0; column < stride; column++) {
            let sum = half;
            for (let at = 0, place = stride * (first - begin) + column; at < weights.length; at++, place += stride) {
                sum += middle[place] * weights[at];
            }
            result[stride * row + column] = clipped(sum);
        }
    });
    return result;
}

/** @param {{first: number, weights: Float64Array}[]} found */
function inFixedPoint(found) {
    const whole = (/** @type {number} */ weight) => Math.trunc(weight * 2 ** PRECISION + (weight < 0 ? -0.5 : 0.5));
    return found.map(({ first, weights }) => ({ first, weights: Int32Array.from(weights, whole) }));
}

/** @param {number} sum in fixed point */
function clipped(sum) {
    return Math.min(255, Math.max(0, sum >> PRECISION));
}

/**
 * A map enlarged smoothly, by bicubic interpolation.
 * @param {Float32Array} values row by row
 * @param {number} width
 * @param {number} height
 * @param {number} newWidth
 * @param {number} newHeight
 * @returns {Float32Array}
 */
export function enlarged(values, width, height, newWidth, newHeight) {
    const middle = new Float32Array(newWidth * height), result = new Float32Array(newWidth * newHeight);
    spans(0, width, width, newWidth, BICUBIC).forEach(({ first, weights }, column) => {
        for (let row = 0; row < height; row++) {
            let sum = 0;
            for (let at = 0; at < weights.length; at++) sum += values[row * width + first + at] * weights[at];
            middle[row * newWidth + column] = sum;
        }
    });
    spans(0, height, height, newHeight, BICUBIC).forEach(({ first, weights }, row) => {
        for (let column = 0; column < newWidth; column++) {
            let sum = 0;
            for (let at = 0; at < weights.length; at++) sum += middle[(first + at) * newWidth + column] * weights[at];
            result[row * newWidth + column] = sum;
        }
    });
    return result;
}
