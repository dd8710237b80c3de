// What the live tab shows between two answers: numbers that glide, and words that do not flicker. Times are in milliseconds.

/** @typedef {import("../engine/types.js").Explanation} Explanation */
/** @typedef {import("../engine/types.js").Label} Label */

const LABELS = /** @type {const} */ (["cat", "dog"]);
const GLIDE = 250; // after this long, bars and map have gone two thirds of the way to a new answer
const SETTLED = 0.002; // of a probability, or of the scale: what is nearer than this has arrived
const LASTING = 350; // other words must be right for this long before they are shown
const CHANGING = 1000; // shown words stay for this long, and give way to any others once they are wrong for as long

/** Bars and map on their way to the newest answer. */
export class Glide {
    /** @type {Explanation | null} */
    #target = null;
    /** @type {Explanation | null} */
    #shown = null;
    #at = 0;

    /** @param {Explanation} answer */
    aim(answer) {
        this.#target = answer;
    }

    forget() {
        this.#target = this.#shown = null;
    }

    /**
     * What to show now, the same object as long as nothing moves; null before the first answer.
     * @param {number} now
     * @returns {Explanation | null}
     */
    step(now) {
        const [before, target] = [this.#shown, this.#target];
        const weight = 1 - Math.exp(-(now - this.#at) / GLIDE);
        this.#at = now;
        if (!target || before === target) return before;
        if (!before || !alike(before, target)) return (this.#shown = target);
        return (this.#shown = arrived(before, target) ? target : blend(before, target, weight));
    }
}

/** @param {Explanation} a @param {Explanation} b */
const alike = (a, b) =>
    a.evidence.height === b.evidence.height && a.evidence.width === b.evidence.width && String(a.size) === String(b.size);

/** @param {Explanation} before @param {Explanation} target */
const arrived = (before, target) => {
    const places = target.evidence.height * target.evidence.width;
    return LABELS.every(
        (label) =>
            Math.abs(before.prediction[label] - target.prediction[label]) < SETTLED &&
            target.evidence[label].every(
                (share, place) => Math.abs(before.evidence[label][place] - share) * places < SETTLED * target.scale,
            ),
    );
};

/**
 * A way between two answers; what cannot be between is the target's.
 * @param {Explanation} before
 * @param {Explanation} target
 * @param {number} weight of the target
 * @returns {Explanation}
 */
const blend = (before, target, weight) => {
    const between = (/** @type {number} */ a, /** @type {number} */ b) => a + weight * (b - a);
    const map = (/** @type {Label} */ label) =>
        target.evidence[label].map((share, place) => between(before.evidence[label][place], share));
    const cat = between(before.prediction.cat, target.prediction.cat);
    const dog = between(before.prediction.dog, target.prediction.dog);
    return {
        ...target,
        prediction: { ...target.prediction, cat, dog, verdict: verdictOf(cat, dog, target.thresholds) },
        evidence: { ...target.evidence, cat: map("cat"), dog: map("dog") },
    };
};

/**
 * As catdog.decision.verdicts_of.
 * @param {number} cat
 * @param {number} dog
 * @param {import("../engine/types.js").Thresholds} thresholds
 * @returns {import("../engine/types.js").Verdict}
 */
const verdictOf = (cat, dog, { both, neither }) => {
    if (Math.max(cat, dog) < neither) return "neither";
    if (Math.min(cat, dog) >= both) return "both";
    return cat >= dog ? "cat" : "dog";
};

/** Words that are shown once they have been right for a while, and change at most once a second. */
export class Steady {
    /** @type {string | null} */
    #shown = null;
    /** @type {string | null} */
    #other = null;
    #changed = -Infinity;
    #right = -Infinity; // when what is shown was last right
    #since = 0; // how long the others have been right

    forget() {
        this.#shown = null;
        this.#changed = -Infinity;
    }

    /**
     * The words to show.
     * @param {string} words what is right now
     * @param {number} now
     * @returns {string}
     */
    next(words, now) {
        if (words === this.#shown) {
            this.#right = now;
            this.#other = null;
            return words;
        }
        if (words !== this.#other) {
            this.#other = words;
            this.#since = now;
        }
        const due = now - this.#since >= LASTING || now - this.#right >= CHANGING;
        if (this.#shown === null || (due && now - this.#changed >= CHANGING)) {
            this.#shown = words;
            this.#changed = this.#right = now;
            this.#other = null;
        }
        return this.#shown;
    }
}
