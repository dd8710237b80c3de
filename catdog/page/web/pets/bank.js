/** Reads the bank of other pets: a safetensors file of signatures, one tensor a kind of pet, in 16-bit numbers. */

/** @typedef {import("./pets.js").Bank} Bank */

/**
 * @param {ArrayBuffer} file
 * @param {string} weights the digest of the checkpoint that it must belong to
 * @param {number} channels of a signature
 * @returns {Bank | null} null for another checkpoint's
 */
export function bankOf(file, weights, channels) {
    const view = new DataView(file);
    const start = 8 + Number(view.getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(file.slice(8, start)));
    if (header.__metadata__.weights !== weights) return null;
    const rows = (/** @type {"cat" | "dog"} */ label) => {
        const { data_offsets: [from, to] } = header[label];
        const values = Float32Array.from({ length: (to - from) / 2 }, (_, place) => half(view.getUint16(start + from + 2 * place, true)));
        return Array.from({ length: values.length / channels }, (_, row) => values.subarray(row * channels, (row + 1) * channels));
    };
    return { cat: rows("cat"), dog: rows("dog") };
}

/**
 * A 16-bit floating-point number from its bits (IEEE 754, binary16).
 * @param {number} bits
 */
function half(bits) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 0x1f, fraction = bits & 0x3ff;
    if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
    return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : (sign * 2 ** -14 * fraction) / 1024;
}
