/**
 * Your own pets, known again from a few photos, as catdog/pets.py has it, which reads and writes the same file: a pet is what
 * its photos' signatures have in common, and a bank of other pets says how alike strangers are.
 */

import { decoded, encoded } from "./signature.js";

/** @typedef {import("../engine/types.js").Label} Label */
/** @typedef {import("../engine/types.js").Prediction} Prediction */
/** @typedef {{name: string, label: Label, signatures: Float32Array[]}} Pet */
/** @typedef {{name: string, label: Label, similarity: number, threshold: number, known: boolean}} Recognition */
/** @typedef {Record<Label, Float32Array[]>} Bank signatures of other pets */

const FORMAT = "catdog pets", VERSION = 1;
export const MAX_PETS = 20;
export const MAX_PHOTOS = 100; // of one pet
export const MAX_NAME = 60; // characters
const MAX_FILE = 2 ** 24; // bytes
const STRANGERS = 0.95; // the share of other pets that are not taken for one that was taught
export const ALIKE = 0.95; // two photos that are more alike are of one moment: docs/benchmarks/pets.md
const TINY = 1e-9;
const UNNAMED = /[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/u; // control, ends of lines, turns of writing
/** @type {Label[]} */
const LABELS = ["cat", "dog"];

/** Pets that cannot be used; `pets.CODE` in the words says why. */
export class PetError extends Error {
    /**
     * @param {string} code
     * @param {Record<string, string | number>} [values]
     */
    constructor(code, values = {}) {
        super(code);
        this.code = code;
        this.values = values;
    }
}

export class Pets {
    /** @type {Map<string, Pet>} by name */
    all = new Map();
    /** @type {Record<Label, Float32Array[]>} signatures of those that are none of them, the newest last */
    strangers = { cat: [], dog: [] };
    /** @type {Map<string, {look: Float32Array, threshold: number}>} by name, once they were wanted */
    #looks = new Map();
    /** @type {WeakMap<Float32Array, {look: Float32Array, threshold: number}>} those of strangers */
    #strange = new WeakMap();
    /** @type {Record<Label, Float32Array>} */
    #centers;

    /**
     * @param {string} weights the digest of the checkpoint that made the signatures
     * @param {number} channels of a signature
     * @param {Bank | null} bank of that checkpoint; without one strangers are not told from pets
     */
    constructor(weights, channels, bank) {
        this.weights = weights;
        this.channels = channels;
        this.bank = bank;
        const center = (/** @type {Label} */ label) => meanOf(bank?.[label].map(rooted) ?? [], channels);
        this.#centers = { cat: center("cat"), dog: center("dog") };
    }

    /**
     * Learn a pet, or more of it.
     * @param {string} given its name
     * @param {Label} label
     * @param {Float32Array[]} signatures of photos of it
     * @returns {string} the name as it is kept
     * @throws {PetError}
     */
    learn(given, label, signatures) {
        const name = given.trim();
        if (!isName(name)) throw new PetError("pets.bad-name", { most: MAX_NAME });
        const known = this.all.get(name);
        if (!known && this.all.size === MAX_PETS) throw new PetError("pets.most-pets", { most: MAX_PETS });
        if (known && known.label !== label) throw new PetError(`pets.is-${known.label}`, { name });
        const all = [...(known?.signatures ?? []), ...signatures];
        if (all.length > MAX_PHOTOS) throw new PetError("pets.most-photos", { most: MAX_PHOTOS });
        this.all.set(name, { name, label, signatures: all });
        this.#looks.delete(name);
        return name;
    }

    /**
     * Learn that a picture shows none of them: who looks more like it is a stranger from now on.
     * @param {Label} label
     * @param {Float32Array} signature
     */
    reject(label, signature) {
        this.strangers[label] = [...this.strangers[label], signature].slice(-MAX_PHOTOS);
    }

    clear() {
        this.all.clear();
        this.strangers = { cat: [], dog: [] };
        this.#looks.clear();
    }

    /** @param {string} name */
    forget(name) {
        this.all.delete(name);
        this.#looks.delete(name);
    }

    /**
     * The pet that a picture is most like; null where it shows none, or none of its kind was taught.
     * @param {{prediction: Prediction, signature?: Float32Array | null}} answer
     * @returns {Recognition | null}
     */
    recognized({ prediction, signature }) {
        if (prediction.verdict === "neither" || !signature) return null;
        const label = likelier(prediction);
        const own = this.look(signature, label);
        /** @type {Recognition | null} */
        let best = null;
        for (const pet of this.all.values()) {
            if (pet.label !== label) continue;
            const { look, threshold } = this.#lookOf(pet);
            const similarity = dot(look, own);
            if (best && similarity - threshold <= best.similarity - best.threshold) continue;
            best = { name: pet.name, label, similarity, threshold, known: similarity >= threshold };
        }
        if (best) best.known &&= this.strangers[label].every((each) => this.#strangeness(each, own, label) <= best.similarity - best.threshold);
        return best;
    }

    /**
     * How much more like a stranger a look is than most other pets are.
     * @param {Float32Array} signature
     * @param {Float32Array} own
     * @param {Label} label
     */
    #strangeness(signature, own, label) {
        let found = this.#strange.get(signature);
        if (!found) this.#strange.set(signature, (found = this.#lookOfAll([signature], label)));
        return dot(found.look, own) - found.threshold;
    }

    /**
     * Which places of a picture make it like a pet, and which unlike it: as `Pets.places` in catdog/pets.py.
     * @param {Recognition} recognition
     * @param {import("../engine/types.js").Features} answer
     * @returns {Float32Array} on the grid of the evidence; its sum is the similarity
     */
    places({ name, label }, { features, evidence }) {
        const { look } = this.#lookOf(/** @type {Pet} */ (this.all.get(name)));
        const center = this.#centers[label], map = evidence[label], places = map.length;
        const total = Math.max(map.reduce((sum, value) => sum + Math.max(0, value), 0), TINY);
        const weights = map.map((value) => Math.max(0, value) / total);
        const shares = new Float32Array(places);
        let usual = 0, length = 0;
        for (let channel = 0; channel < this.channels; channel++) {
            const own = features.subarray(channel * places, (channel + 1) * places);
            const root = Math.sqrt(dot(own, weights));
            usual += center[channel] * look[channel];
            length += (root - center[channel]) ** 2;
            const factor = look[channel] / Math.max(root, TINY);
            for (let place = 0; place < places; place++) shares[place] += factor * own[place];
        }
        return shares.map((share, place) => (weights[place] * (share - usual)) / Math.max(Math.sqrt(length), TINY));
    }

    /** @param {Pet} pet */
    #lookOf(pet) {
        let found = this.#looks.get(pet.name);
        if (!found) this.#looks.set(pet.name, (found = this.#lookOfAll(pet.signatures, pet.label)));
        return found;
    }

    /**
     * What photos have in common, and the similarity that most other pets of that kind do not reach.
     * @param {Float32Array[]} signatures
     * @param {Label} label
     */
    #lookOfAll(signatures, label) {
        const look = unit(meanOf(signatures.map((each) => this.look(each, label)), this.channels));
        const others = this.bank?.[label].map((each) => dot(this.look(each, label), look));
        return { look, threshold: others?.length ? quantile(others, STRANGERS) : -1 };
    }

    /**
     * A signature as it is compared: square roots less those of other pets, of unit length.
     * @param {Float32Array} signature
     * @param {Label} label
     */
    look(signature, label) {
        const center = this.#centers[label];
        return unit(rooted(signature).map((value, channel) => value - center[channel]));
    }

    /**
     * On how many of its own photos a pet would be known, had it been taught with the others alone; null of a single photo,
     * and without a bank.
     * @param {Pet} pet
     */
    recalled({ signatures, label }) {
        if (signatures.length < 2 || !this.bank) return null;
        return signatures.filter((signature, place) => {
            const { look, threshold } = this.#lookOfAll(signatures.filter((_, other) => other !== place), label);
            return dot(look, this.look(signature, label)) >= threshold;
        }).length;
    }

    /**
     * Whether a photo shows a pet as another one did: it would teach nothing more.
     * @param {Float32Array} signature
     * @param {readonly Float32Array[]} others
     * @param {Label} label
     */
    isMuchLike(signature, others, label) {
        const own = this.look(signature, label);
        return others.some((each) => dot(own, this.look(each, label)) > ALIKE);
    }

    /** All pets as the content of a file, which `catdog pets` reads too. */
    toJson() {
        const pets = [...this.all.values()].map(({ name, label, signatures }) => ({ name, label, signatures: signatures.map(encoded) }));
        const strangers = { cat: this.strangers.cat.map(encoded), dog: this.strangers.dog.map(encoded) };
        return JSON.stringify({ format: FORMAT, version: VERSION, weights: this.weights, pets, strangers }, null, 1);
    }

    /**
     * Take over the pets of a file; those that were known before are forgotten once it has been read.
     * @param {string} text
     * @throws {PetError}
     */
    read(text) {
        if (text.length > MAX_FILE) throw new PetError("pets.file-damaged");
        let content;
        try {
            content = JSON.parse(text);
        } catch {
            throw new PetError("pets.file-other");
        }
        if (content?.format !== FORMAT) throw new PetError("pets.file-other");
        if (content.version !== VERSION) throw new PetError("pets.file-version");
        if (content.weights !== this.weights) throw new PetError("pets.file-checkpoint");
        if (!Array.isArray(content.pets)) throw new PetError("pets.file-damaged");
        const pets = content.pets.map((/** @type {any} */ each) => readPet(each, this.channels));
        const all = new Map(pets.map((/** @type {Pet} */ pet) => [pet.name, pet]));
        if (pets.length > MAX_PETS || all.size < pets.length) throw new PetError("pets.file-damaged");
        const strangers = (/** @type {Label} */ label) => readSignatures(content.strangers?.[label] ?? [], this.channels);
        this.strangers = { cat: strangers("cat"), dog: strangers("dog") }; // an earlier version's file has none
        this.all = all;
        this.#looks.clear();
    }
}

/**
 * The likelier label, whose the signature is.
 * @param {Prediction} prediction
 * @returns {Label}
 */
export const likelier = ({ cat, dog }) => (dog > cat ? "dog" : "cat");

/** @param {unknown} text */
export const isName = (text) => {
    if (typeof text !== "string") return false;
    const length = [...text].length;
    return 0 < length && length <= MAX_NAME && !UNNAMED.test(text);
};

/**
 * @param {any} content
 * @param {number} channels
 * @returns {Pet}
 * @throws {PetError} for anything but a pet
 */
function readPet(content, channels) {
    try {
        const { name, label, signatures: texts } = content;
        if (isName(name) && LABELS.includes(label) && texts.length > 0) return { name, label, signatures: readSignatures(texts, channels) };
    } catch {
        // no pet, as below
    }
    throw new PetError("pets.file-damaged");
}

/**
 * @param {any} texts
 * @param {number} channels
 * @returns {Float32Array[]}
 * @throws {PetError} for anything but signatures, and for too many
 */
function readSignatures(texts, channels) {
    try {
        const signatures = texts.map(decoded);
        const whole = (/** @type {Float32Array} */ each) => each.length === channels && each.every((value) => value >= 0 && value < Infinity);
        if (signatures.length <= MAX_PHOTOS && signatures.every(whole)) return signatures;
    } catch {
        // none, as below
    }
    throw new PetError("pets.file-damaged");
}

/** @param {Float32Array} values */
const rooted = (values) => values.map(Math.sqrt);

/** @param {Float32Array} first @param {Float32Array} second */
function dot(first, second) {
    let sum = 0;
    for (let place = 0; place < first.length; place++) sum += first[place] * second[place];
    return sum;
}

/** @param {Float32Array} values */
function unit(values) {
    const length = Math.max(Math.sqrt(dot(values, values)), TINY);
    return values.map((value) => value / length);
}

/**
 * @param {readonly Float32Array[]} rows
 * @param {number} channels
 */
function meanOf(rows, channels) {
    const mean = new Float32Array(channels);
    for (const row of rows) for (let channel = 0; channel < channels; channel++) mean[channel] += row[channel] / rows.length;
    return mean;
}

/**
 * Between the two nearest values, as numpy.percentile.
 * @param {number[]} values
 * @param {number} share
 */
function quantile(values, share) {
    const sorted = [...values].sort((first, second) => first - second);
    const at = share * (sorted.length - 1), below = Math.floor(at);
    return sorted[below] + (at - below) * (sorted[Math.min(below + 1, sorted.length - 1)] - sorted[below]);
}
