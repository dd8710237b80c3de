/** Which of the visitor's pets it is, as a code of the words. */

/**
 * @param {import("../pets/pets.js").Recognition} found
 * @param {number} pets of its kind that were taught
 */
export function whoCode({ known, label }, pets) {
    if (known) return "pets.it-is-i-think";
    return pets === 1 ? `pets.not-${label}` : `pets.none-${label}`;
}
