// Axes of charts: a share in [0, 1] -> its place along the axis in [0, 1], so that the space is spent where the figures are.

/** @typedef {{place: (share: number) => number, ticks: number[]}} Scale */

const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5];
const MOST_TICKS = 6;
const between = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));

/**
 * An even axis from `low` to `high`; what lies outside stands at its end.
 * @param {number} low
 * @param {number} high
 * @returns {Scale}
 */
export function even(low, high) {
    const step = stepOf(low, high);
    const first = Math.ceil(low / step - 1e-9);
    const count = Math.floor(high / step + 1e-9) - first + 1;
    return {
        place: (share) => between((share - low) / (high - low)),
        ticks: Array.from({ length: count }, (_, index) => Number(((first + index) * step).toFixed(4))),
    };
}

/**
 * The even axis that holds all of the intervals, no longer than needed.
 * @param {{interval: [number, number]}[]} rates
 * @returns {Scale}
 */
export function evenAround(rates) {
    const low = Math.min(...rates.map((rate) => rate.interval[0]));
    const high = Math.max(...rates.map((rate) => rate.interval[1]));
    const step = stepOf(low, high);
    const from = Math.floor(low / step + 1e-9) * step;
    return even(from, Math.max(from + step, Math.ceil(high / step - 1e-9) * step));
}

/** @param {number} low @param {number} high */
const stepOf = (low, high) => STEPS.find((step) => (high - low) / step <= MOST_TICKS) ?? 1;

/**
 * Small shares far apart: each power of ten takes the same space, from `least`, where everything below it stands, to `most`.
 * @param {number} least
 * @param {number} [most]
 * @returns {Scale}
 */
export function small(least, most = 1) {
    const decades = Math.log(most / least);
    return { place: (share) => between(Math.log(Math.max(share, least) / least) / decades), ticks: tens(least, most, most / least < 150 ? [1, 2, 5] : [1]) };
}

/**
 * Shares near 1 far apart: the same, of what is missing.
 * @param {number} least
 * @param {number} [most]
 * @returns {Scale}
 */
export function nearlyAll(least, most = 1) {
    const missing = small(least, most);
    return { place: (share) => 1 - missing.place(1 - share), ticks: missing.ticks.map((share) => 1 - share).reverse() };
}

/** The power of ten from which a share looks small. @param {number} share */
export const tenAbove = (share) => Math.min(1, 10 ** Math.ceil(Math.log10(share) - 1e-9));

/**
 * Both ends far apart: even in log-odds, between `least` and 1 - `least`.
 * @param {number} least
 * @returns {Scale}
 */
export function bothEnds(least) {
    const odds = (/** @type {number} */ share) => Math.log(share / (1 - share));
    const end = odds(1 - least);
    const held = (/** @type {number} */ share) => Math.min(1 - least, Math.max(least, share));
    const low = tens(least, 0.1, [1]);
    return {
        place: (share) => between((odds(held(share)) + end) / (2 * end)),
        ticks: [...low, 0.5, ...low.map((share) => 1 - share).reverse()],
    };
}

/**
 * Powers of ten times each of the steps.
 * @param {number} least
 * @param {number} most
 * @param {number[]} steps
 */
function tens(least, most, steps) {
    const shares = [];
    for (let power = Math.floor(Math.log10(least)); power <= 0; power += 1) shares.push(...steps.map((step) => step * 10 ** power));
    return shares.filter((share) => share >= least - 1e-9 && share <= most + 1e-9);
}
