// Which of the photos are shown, and in what order.

/** @typedef {import("./photos.js").Photo} Photo */

/** What a photo was taken for, in the order in which the page lists them. */
export const KINDS = /** @type {const} */ (["cat", "dog", "both", "neither", "unreadable"]);
export const ORDERS = /** @type {const} */ (["given", "doubt", "name", "verdict"]);
const DOUBTFUL = 0.4; // a probability between 20% and 80%

/**
 * @param {Photo} photo one that is done
 * @returns {typeof KINDS[number]}
 */
export const kindOf = (photo) => photo.prediction?.verdict ?? "unreadable";

/**
 * 0 where both probabilities are 0 or 1, 1 where one of them is a half; 0 for a photo that cannot be read.
 * @param {Photo} photo
 */
export function doubt({ prediction }) {
    return prediction ? Math.max(...[prediction.cat, prediction.dog].map((p) => 1 - Math.abs(2 * p - 1))) : 0;
}

/** @param {Photo} photo */
export const isDoubtful = (photo) => doubt(photo) >= DOUBTFUL - 1e-9;

/**
 * How many photos there are of each kind, and how many in doubt.
 * @param {Photo[]} photos
 * @returns {Record<typeof KINDS[number] | "doubtful", number>}
 */
export function countsOf(photos) {
    const counts = { cat: 0, dog: 0, both: 0, neither: 0, unreadable: 0, doubtful: 0 };
    for (const photo of photos) {
        counts[kindOf(photo)] += 1;
        counts.doubtful += Number(isDoubtful(photo));
    }
    return counts;
}

const names = new Intl.Collator(undefined, { numeric: true });

/** @type {Record<typeof ORDERS[number], (first: Photo, second: Photo) => number>} */
const BY = {
    given: () => 0,
    doubt: (first, second) => doubt(second) - doubt(first),
    name: (first, second) => names.compare(first.path, second.path),
    verdict: (first, second) => KINDS.indexOf(kindOf(first)) - KINDS.indexOf(kindOf(second)),
};

/**
 * The photos of one kind, or of all, in an order; those that cannot be read are last in each.
 * @param {Photo[]} photos in the order given
 * @param {typeof KINDS[number] | "doubtful" | ""} kind
 * @param {typeof ORDERS[number]} order
 */
export function arranged(photos, kind, order) {
    const shown = photos.filter((photo) => !kind || (kind === "doubtful" ? isDoubtful(photo) : kindOf(photo) === kind));
    const unreadable = (/** @type {Photo} */ photo) => Number(!photo.prediction);
    return shown.sort((first, second) => unreadable(first) - unreadable(second) || BY[order](first, second));
}
