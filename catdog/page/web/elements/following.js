// Hands a camera's frames to the engine, which answers the newest, and keeps account of its pace and its failures.

/** @typedef {import("../engine/types.js").Explanation} Explanation */

const HICCUP = 300; // ms of rest after a failure that may be the only one
const PATIENCE = 1500; // ms of rest after each further one
const RECENT = 2000; // ms that the pace is the mean of

export class Following {
    #ended = new AbortController();
    #rests = false;
    #failures = 0; // in a row
    /** @type {{at: number, took: number}[]} */
    #recent = [];

    /**
     * @param {Pick<import("../engine/types.js").Engine, "frame">} engine
     * @param {(answer: Explanation, frame: CanvasImageSource) => void} onAnswer
     * @param {(code: string | null) => void} onProblem after two failures in a row, and null when answers come again
     * @param {() => boolean} [signed] whether the answers are to have their signatures
     */
    constructor(engine, onAnswer, onProblem, signed = () => false) {
        this.engine = engine;
        this.onAnswer = onAnswer;
        this.onProblem = onProblem;
        this.signed = signed;
    }

    /** Frames that were not sent yet stay here. */
    stop() {
        this.#ended.abort();
    }

    /**
     * A new frame has come.
     * @param {CanvasImageSource} frame
     */
    async see(frame) {
        const { signal } = this.#ended;
        if (this.#rests || signal.aborted) return;
        const sent = performance.now();
        let answer;
        try {
            answer = await this.engine.frame(frame, { signal, signed: this.signed() });
        } catch (error) {
            return this.#fail(/** @type {import("../engine/types.js").EngineError} */ (error));
        }
        if (!answer || signal.aborted) return; // a newer frame took its place
        const now = performance.now();
        this.#recent.push({ at: now, took: now - sent });
        const first = this.#recent.findIndex(({ at }) => now - at < RECENT);
        this.#recent = this.#recent.slice(Math.max(0, first - 1)); // and one before, or slow answers would have no pace
        if (this.#failures > 1) this.onProblem(null);
        this.#failures = 0;
        this.onAnswer(answer, frame);
    }

    /**
     * Answers a second and the milliseconds that one takes, over the last seconds; null before there are two.
     * @returns {{perSecond: number, milliseconds: number} | null}
     */
    pace() {
        const [first, last] = [this.#recent[0], this.#recent[this.#recent.length - 1]];
        if (first === last) return null;
        const took = this.#recent.map((answer) => answer.took).sort((a, b) => a - b);
        return {
            perSecond: (1000 * (this.#recent.length - 1)) / (last.at - first.at),
            milliseconds: took[took.length >> 1],
        };
    }

    /** @param {{code?: string, wait?: number}} error */
    #fail({ code = "failed", wait = 0 }) {
        if (this.#rests || this.#ended.signal.aborted) return; // the same failure, of another frame that was on its way
        this.#rests = true;
        this.#recent = [];
        setTimeout(() => (this.#rests = false), ++this.#failures > 1 ? Math.max(PATIENCE, 1000 * wait) : HICCUP);
        if (this.#failures > 1) this.onProblem(code);
    }
}
