/** The answers of this visit, which the browser's Back and Forward walk through. */

/**
 * @typedef {import("../engine/types.js").Explanation} Explanation
 * @typedef {import("../engine/types.js").Prediction} Prediction
 * @typedef {object} Answer
 * @property {string} id
 * @property {Blob} file what the visitor chose
 * @property {string} name its file name
 * @property {string | null} example the id of the example that it is
 * @property {Explanation} explanation
 * @property {Explanation | null} finer of a picture twice as large, once that was asked for
 * @property {Prediction | null} closer what a closer look has found, once one was taken
 */

/** Holds the answers by id, and marks the browser's history entries with theirs. */
export class Visit {
    /** @type {Map<string, Answer>} */
    #answers = new Map();
    #history;
    #start;

    /** @param {Pick<History, "state" | "pushState" | "replaceState">} history the browser's */
    constructor(history, start = Date.now()) {
        this.#history = history;
        this.#start = start.toString(36); // ids of a visit before a reload may still be in the history
    }

    /**
     * A new answer, which is not in the history yet.
     * @param {Omit<Answer, "id" | "finer" | "closer">} found
     * @returns {Answer}
     */
    add(found) {
        const answer = { ...found, id: `${this.#start}-${this.#answers.size + 1}`, finer: null, closer: null };
        this.keep(answer);
        return answer;
    }

    /** @param {Answer} answer of this visit, or of the one before a reload */
    keep(answer) {
        this.#answers.set(answer.id, answer);
    }

    /**
     * The answer that the present history entry shows: null for none, undefined where the entry is not ours.
     * @returns {Answer | null | undefined}
     */
    get shown() {
        const id = this.#history.state?.photo;
        return id ? this.#answers.get(id) ?? null : id;
    }

    /**
     * Says which answer the present entry shows.
     * @param {string | null} id
     */
    mark(id) {
        this.#history.replaceState({ ...this.#history.state, photo: id }, "");
    }

    /** @param {string} id shown from now on, by an entry of its own */
    push(id) {
        this.#history.pushState({ photo: id }, "");
    }
}
