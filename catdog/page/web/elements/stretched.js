/** Evidence as a map that is stretched to its own strongest place, as other methods' maps are. */

/** @type {WeakMap<Float32Array, number[][]>} so that a map is drawn once */
const known = new WeakMap();

/**
 * @param {import("../engine/types.js").Maps} maps
 * @param {"cat" | "dog"} label
 * @returns {number[][]} rows of values from 0 to 1; what speaks against the label is 0
 */
export function stretched({ height, width, ...maps }, label) {
    const map = maps[label], most = Math.max(...map, 1e-6);
    const row = (/** @type {number} */ index) => Array.from(map.subarray(index * width, (index + 1) * width), (value) => Math.max(0, value / most));
    const values = known.get(map) ?? Array.from({ length: height }, (_, index) => row(index));
    known.set(map, values);
    return values;
}
