// One run over many photos: which there are, which are answered, and whether it goes on.

import { EngineError } from "../engine/types.js";
import { isDone, isTooLarge, withMore } from "./photos.js";
import { forget } from "./thumbnails.js";

/** @typedef {import("./photos.js").Photo} Photo */
/** @typedef {"empty" | "running" | "stopped" | "done"} State */

export class Run {
    /** @type {Photo[]} in the order given */
    photos = [];
    /** @type {State} */
    state = "empty";
    /** @type {"busy" | "offline" | null} what the engine waits for */
    waiting = null;
    /** @type {AbortController | null} */
    #work = null;

    /**
     * @param {Pick<import("../engine/types.js").Engine, "many">} engine
     * @param {() => void} changed called after every change
     * @param {() => boolean} [signed] whether the answers are to have their signatures
     */
    constructor(engine, changed, signed = () => false) {
        this.engine = engine;
        this.changed = changed;
        this.signed = signed;
    }

    /** @returns {Photo[]} */
    get done() {
        return this.photos.filter(isDone);
    }

    /**
     * How many photos there would be with these as well.
     * @param {Photo[]} more
     */
    countWith(more) {
        return withMore(this.photos, more).length;
    }

    /**
     * Adds photos, and answers them; those that were there before are answered anew in their places.
     * @param {Photo[]} more
     * @param {number} megabytes what the engine takes
     */
    add(more, megabytes) {
        for (const photo of more) if (isTooLarge(photo, megabytes)) photo.problem = "too-large";
        const before = this.photos;
        this.photos = withMore(before, more);
        const kept = new Set(this.photos);
        forget(before.filter((photo) => !kept.has(photo)));
        this.goOn();
    }

    stop() {
        this.#end("stopped");
    }

    clear() {
        forget(this.photos);
        this.photos = [];
        this.#end("empty");
    }

    /** Answers what is not answered yet, photos that are added meanwhile among it. */
    async goOn() {
        if (this.#work) return this.changed(); // it comes to them
        const work = (this.#work = new AbortController());
        this.state = "running";
        this.changed();
        try {
            for (let left; (left = this.photos.filter((photo) => !isDone(photo))).length; ) await this.#answer(left, work.signal);
            this.#end("done");
        } catch (error) {
            if (work.signal.aborted) return;
            this.#end("stopped");
            throw error;
        }
    }

    /**
     * @param {Photo[]} photos
     * @param {AbortSignal} signal
     */
    #answer(photos, signal) {
        return this.engine.many(
            photos.map(({ open }) => () => open().catch((error) => Promise.reject(new EngineError(error.code)))), // in a zip
            (index, answer) => {
                if (signal.aborted) return;
                if ("problem" in answer) photos[index].problem = answer.problem;
                else Object.assign(photos[index], { prediction: answer.prediction, size: answer.size, signature: answer.signature });
                this.changed();
            },
            {
                signal,
                signed: this.signed(),
                onWait: (code) => {
                    this.waiting = code;
                    this.changed();
                },
            },
        );
    }

    /** @param {State} state */
    #end(state) {
        this.#work?.abort();
        this.#work = null;
        this.state = state;
        this.waiting = null;
        this.changed();
    }
}
