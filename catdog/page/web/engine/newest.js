/** Keeps a camera's pace: the newest frame is answered next, and those that it overtook never are. */

const QUICK = 250; // ms: where answers come sooner, the next frame travels while the last is answered; later, it would only wait

/** @template Frame, Answer */
export class Newest {
    /** @type {{frame: Frame, resolve: (answer: Answer | null) => void, reject: (error: unknown) => void} | null} */
    #waiting = null;
    #underway = 0;
    #started = 0;
    #shown = 0; // the newest frame that has its answer
    #took = 0; // ms, of the last answer

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
        if (!mine || this.#underway >= (this.#took < QUICK ? 2 : 1)) return;
        this.#waiting = null;
        this.#underway++;
        const turn = ++this.#started;
        const start = performance.now();
        try {
            const answer = await this.answer(mine.frame);
            this.#took = performance.now() - start;
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
