/** What photos teach of a pet, and why some teach nothing: as catdog/pets.py, and one photo of each moment. */
import { likelier } from "./pets.js";

/** @typedef {import("../engine/types.js").Explanation} Explanation */
/** @typedef {import("../engine/types.js").Label} Label */
/** @typedef {import("./pets.js").Pet} Pet */
/** @typedef {import("./pets.js").Pets} Pets */

/**
 * @param {Pets} pets
 * @param {Pet | undefined} pet that is known already
 * @param {readonly (Explanation | null)[]} explanations null for a photo that cannot be read
 * @returns {{label: Label, reasons: (string | null)[], signatures: Float32Array[]}} `reasons` why each is left out, as a code
 *   of the words, null for those that teach; `signatures` of these
 */
export function judged(pets, pet, explanations) {
    const label = pet?.label ?? commonest(explanations);
    /** @type {Float32Array[]} */
    const signatures = [];
    const reasons = explanations.map((explanation) => {
        if (!explanation?.signature) return null;
        const reason = whyNot(explanation, label);
        if (reason) return reason;
        if (pets.isMuchLike(explanation.signature, [...(pet?.signatures ?? []), ...signatures], label)) return "pets.left-alike";
        signatures.push(explanation.signature);
        return null;
    });
    return { label, reasons, signatures };
}

/**
 * The kind of pet that most photos show.
 * @param {readonly (Explanation | null)[]} explanations
 * @returns {Label}
 */
function commonest(explanations) {
    const count = (/** @type {Label} */ label) => explanations.filter((each) => each?.prediction.verdict === label).length;
    return count("dog") > count("cat") ? "dog" : "cat";
}

/**
 * @param {Explanation} explanation
 * @param {Label} label
 */
function whyNot({ prediction }, label) {
    if (prediction.verdict === "neither") return "pets.left-none";
    if (prediction.verdict === "both") return "pets.left-both";
    return likelier(prediction) === label ? null : `pets.left-${prediction.verdict}`;
}
