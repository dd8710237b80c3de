// Asks the engine about the newest frames of a camera, again and again: those that come while it works are dropped.

/** @typedef {import("../engine/types.js").Explanation} Explanation */

const SIDE = 240; // px, short side of a frame as it is sent: a little more than the network's input
const QUICK = 250; // ms: where answers come sooner, the next frame is on its way while the last is answered
const LOST = 15000; // ms after which an answer is given up
const PATIENCE = 1500; // ms between attempts while there is no answer
const RECENT = 2000; // ms that the pace is the mean of

/**
 * @typedef {object} Listener
 * @property {(answer: Explanation, frame: HTMLCanvasElement) => void} onAnswer
 * @property {(code: string | null) => void} onProblem after two failures in a row, and null when answers come again
 */

export class Following {
    #stopped = false;
    #failures = 0;
    #took = Infinity; // ms, of the last answer
    #newest = 0; // number of the newest frame that was answered
    #sent = 0;
    /** @type {{at: number, took: number}[]} */
    #recent = [];

    /**
     * @param {{nextFrame(): Promise<boolean>, grab(side: number): HTMLCanvasElement}} camera
     * @param {{frame(frame: HTMLCanvasElement): Promise<Explanation | null>}} engine
     * @param {Listener} listener
     */
    constructor(camera, engine, listener) {
        this.camera = camera;
        this.engine = engine;
        this.listener = listener;
        this.#follow(false);
        this.#follow(true);
    }

    stop() {
        this.#stopped = true;
    }

    /**
     * Answers a second and the milliseconds that one takes, over the last seconds; null before there are two.
     * @returns {{perSecond: number, milliseconds: number} | null}
     */
    pace() {
        if (this.#recent.length < 2) return null;
        const took = this.#recent.map((answer) => answer.took).sort((a, b) => a - b);
        const seconds = (this.#recent[this.#recent.length - 1].at - this.#recent[0].at) / 1000;
        return { perSecond: (this.#recent.length - 1) / seconds, milliseconds: took[took.length >> 1] };
    }

    /**
     * One frame after another. A second follower, `spare`, has the network and the engine work at the same time; where answers
     * take long it would only have frames wait for each other, and rests.
     * @param {boolean} spare
     */
    async #follow(spare) {
        while (!this.#stopped) {
            if (spare && this.#took > QUICK) {
                await pause(QUICK);
                continue;
            }
            if (!(await this.camera.nextFrame())) return;
            if (!(await this.#ask())) await pause(PATIENCE);
        }
    }

    /** Whether the engine answered, or need not. */
    async #ask() {
        const frame = this.camera.grab(SIDE);
        const number = ++this.#sent;
        const sent = performance.now();
        let answer;
        try {
            answer = await within(this.engine.frame(frame), LOST);
        } catch (error) {
            if (!this.#stopped) this.#fail(error.code ?? "failed");
            return false;
        }
        if (this.#stopped || !answer) return true;
        const now = performance.now();
        this.#took = now - sent;
        if (this.#failures) this.listener.onProblem(null);
        this.#failures = 0;
        if (number < this.#newest) return true; // a later frame's answer was sooner
        this.#newest = number;
        this.#recent = [...this.#recent.filter(({ at }) => now - at < RECENT), { at: now, took: this.#took }];
        this.listener.onAnswer(answer, frame);
        return true;
    }

    /** @param {string} code */
    #fail(code) {
        this.#took = Infinity;
        this.#recent = [];
        if (++this.#failures > 1) this.listener.onProblem(code);
    }
}

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** @template T @param {Promise<T>} promise @param {number} milliseconds @returns {Promise<T>} */
const within = (promise, milliseconds) =>
    new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(Object.assign(new Error("no answer"), { code: "slow" })), milliseconds);
        promise.then(resolve, reject).finally(() => clearTimeout(timer));
    });
