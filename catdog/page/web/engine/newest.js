/** Keeps a camera's pace: the newest frame is answered next, and those that it overtook never are. */

const AT_ONCE = 2; // the next frame travels while the last one is answered

/** @template Frame, Answer */
export class Newest {
    /** @type {{frame: Frame, resolve: (answer: Answer | null) => void, reject: (error: unknown) => void} | null} */
    #waiting = null;
    #underway = 0;
    #started = 0;
    #shown = 0; // the newest frame that has its answer

    /** @param {(frame: Frame) => Promise<Answer>} answer */
    constructor(answer) {
        this.answer = answer;
    }

    /**
     * @param {Frame} frame
     * @returns {Promise<Answer | null>} null where a newer frame took its place, or was answered sooner
     */
    ask(frame) {
        this.#waiting?.resolve(null);
        return new Promise((resolve, reject) => {
            this.#waiting = { frame, resolve, reject };
            this.#next();
        });
    }

    async #next() {
        const mine = this.#waiting;
        if (!mine || this.#underway >= AT_ONCE) return;
        this.#waiting = null;
        this.#underway++;
        const turn = ++this.#started;
        try {
            const answer = await this.answer(mine.frame);
            mine.resolve(turn > this.#shown ? answer : null);
            this.#shown = Math.max(this.#shown, turn);
        } catch (error) {
            mine.reject(error);
        } finally {
            this.#underway--;
            this.#next();
        }
    }
}
