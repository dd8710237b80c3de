// Shares in the words of every day: never more exact than what was measured.

/**
 * @typedef {{k: number, n: number, value: number, interval: [number, number]}} Rate  its interval is the 95% one
 * @typedef {{code: "count" | "all" | "none" | "few", right: number, of: number}} PlainShare
 */

const WHOLES = [100, 20, 10];
const STEPS = 4; // an interval may span so many of what is counted

/**
 * "97 of 100", where the interval is narrow enough to tell 97 from 90, or 19 of 20, or 9 of 10; `few` where it tells none of them
 * apart. A share that is all or none only because it is rounded is "almost all" or "hardly any" (`all`, `none`).
 * @param {Rate} rate
 * @returns {PlainShare}
 */
export function plainShare({ k, n, value, interval: [low, high] }) {
    const of = WHOLES.find((whole) => (high - low) * whole <= STEPS);
    if (!of) return { code: "few", right: k, of: n };
    const right = Math.round(value * of);
    return { code: right === of ? "all" : right === 0 ? "none" : "count", right, of };
}

/**
 * The worst first; those of too few photos after all others, for nobody knows where they belong.
 * @template {Rate} T
 * @param {T[]} rates
 * @param {number} enough  photos
 * @returns {T[]}
 */
export function worstFirst(rates, enough) {
    const few = (/** @type {Rate} */ rate) => Number(rate.n < enough);
    return [...rates].sort((one, other) => few(one) - few(other) || one.value - other.value);
}
