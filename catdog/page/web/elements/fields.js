/** What a place of a layer sees of the input, of the layers before it, and what sees it in those after it. */

/** @typedef {{stride: number, field: number, height: number, width: number}} Grid */
/** @typedef {{row: number, column: number}} Place */
/** @typedef {{top: number, left: number, bottom: number, right: number}} Area right and bottom are beyond it */

/**
 * The square of the input that a place sees, in the input's pixels; what of it lies outside is left out.
 * @param {Grid} grid
 * @param {Place} place
 * @returns {Area}
 */
export function seenBy({ stride, field, height, width }, { row, column }) {
    const [top, bottom] = spanOf(row * stride, field, height * stride);
    const [left, right] = spanOf(column * stride, field, width * stride);
    return { top, left, bottom, right };
}

/**
 * The places of another layer that a place is made from, where that is earlier, or helps to make, where it is later.
 * @param {Grid} grid
 * @param {Place} place
 * @param {Grid} other
 * @returns {Area} in places
 */
export function pathTo(grid, { row, column }, other) {
    const reach = Math.abs(grid.field - other.field) / 2;
    const span = (/** @type {number} */ center, /** @type {number} */ length) =>
        [Math.max(0, Math.ceil((center - reach) / other.stride)), Math.min(length, Math.floor((center + reach) / other.stride) + 1)];
    const [top, bottom] = span(row * grid.stride, other.height);
    const [left, right] = span(column * grid.stride, other.width);
    return { top, left, bottom, right };
}

/**
 * @param {number} center the pixel in the middle
 * @param {number} field pixels wide, an odd number
 * @param {number} length of the input
 */
const spanOf = (center, field, length) => [Math.max(0, center - (field - 1) / 2), Math.min(length, center + (field + 1) / 2)];
