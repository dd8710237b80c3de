/** The engine on the visitor's own device: nothing leaves it. The network runs in a worker, so that the page stays smooth. */
import { Pace } from "./device/pace.js";
import { EngineError } from "./types.js";

/** @typedef {import("./types.js").FrameOptions & {canvas: ImageBitmap}} Frame */
/** @typedef {{resolve: (answer: any) => void, reject: (error: unknown) => void}} Waiting */

const MEGABYTE = 1024 * 1024;
const INSIDE = ["layers", "blocks", "weights", "features"];

export class DeviceEngine {
    /** @type {Promise<any> | null} */
    #about = null;
    /** @type {Promise<Worker> | null} */
    #worker = null;
    /** @type {Map<number, Waiting>} */
    #waiting = new Map();
    #asked = 0;
    /** @type {import("./newest.js").Newest<Frame, import("./types.js").Explanation> | null} */
    #frames = null;
    #pace = new Pace();
    where = /** @type {const} */ ("device");
    /** @type {((share: number | null) => void) | null} told how much of the network has come, from 0 to 1; null once none comes */
    onLoading = null;
    /** @type {import("./types.js").Way | null} how it answers, once it can */
    way = null;
    /** @type {(() => void) | null} told when that changes */
    onWay = null;

    /** @param {Promise<unknown>} [started] before which the network is not fetched: until then the page may be loaded anew */
    constructor(started = Promise.resolve()) {
        this.started = started;
    }

    about() {
        this.#about ??= fetchJson("about.json").catch((error) => {
            this.#about = null; // the next call tries again
            throw error;
        });
        return this.#about;
    }

    /** Fetches the network, so that the first photo need not wait for it; a failure is the first photo's to tell. */
    async prepare() {
        await this.#ready().catch(() => null);
    }

    /**
     * @param {Blob} picture
     * @param {{size?: number, preview?: boolean, signal?: AbortSignal}} [options]
     */
    async explain(picture, { size, preview, signal } = {}) {
        await this.#check(picture, signal);
        return this.#ask({ task: "explain", picture, size, preview }, [], signal);
    }

    /**
     * @param {CanvasImageSource} picture
     * @param {import("./types.js").FrameOptions} [options]
     */
    async frame(picture, options = {}) {
        const canvas = await createImageBitmap(/** @type {ImageBitmapSource} */ (picture)); // as it is now
        try {
            const { Newest } = await import("./newest.js");
            this.#frames ??= new Newest((/** @type {Frame} */ frame) => this.#answerFrame(frame));
            return await this.#frames.ask({ canvas, ...options });
        } finally {
            canvas.close(); // or those that newer ones overtook would fill the memory
        }
    }

    /** @param {Frame} frame */
    async #answerFrame({ canvas, size = this.#pace.size, signal }) {
        signal?.throwIfAborted();
        const { took, ...answer } = await this.#ask({ task: "frame", picture: canvas, size }, [canvas]);
        this.#pace.add(size, took);
        return answer;
    }

    /**
     * @param {import("./types.js").Source[]} files
     * @param {(index: number, answer: import("./types.js").Answer) => void} onAnswer
     * @param {import("./many.js").Options} [options]
     */
    async many(files, onAnswer, options = {}) {
        const { answerMany } = await import("./many.js");
        const classify = async (/** @type {Blob} */ picture) => {
            await this.#check(picture, options.signal);
            return this.#ask({ task: "classify", picture }, [], options.signal);
        };
        return answerMany(files, classify, onAnswer, options);
    }

    /**
     * @param {string} kind `layers`, `blocks`, `weights` or `features`; the others need gradients, which the runtime does not have
     * @param {Blob} picture
     * @param {Record<string, any>} [options]
     */
    async inside(kind, picture, { signal, off, part } = {}) {
        if (!INSIDE.includes(kind)) throw new EngineError("not-here");
        await this.#check(picture, signal);
        return this.#ask({ task: kind, picture, off, part }, [], signal);
    }

    /**
     * @param {Blob} picture
     * @param {AbortSignal} [signal]
     */
    async #check(picture, signal) {
        const { limits } = await this.about();
        signal?.throwIfAborted();
        if (picture.size === 0) throw new EngineError("empty");
        if (picture.size > limits.megabytes * MEGABYTE) throw new EngineError("too-large");
    }

    /**
     * @param {Record<string, any>} question
     * @param {Transferable[]} given to the worker for good
     * @param {AbortSignal} [signal]
     * @returns {Promise<any>}
     */
    async #ask(question, given, signal) {
        const worker = await this.#ready();
        signal?.throwIfAborted();
        const id = ++this.#asked;
        return new Promise((resolve, reject) => {
            const leave = () => {
                this.#waiting.delete(id);
                worker.postMessage({ id, task: "leave" });
                reject(signal?.reason);
            };
            const settled = (/** @type {(value: any) => void} */ settle) => (/** @type {any} */ value) => {
                signal?.removeEventListener("abort", leave);
                settle(value);
            };
            this.#waiting.set(id, { resolve: settled(resolve), reject: settled(reject) });
            signal?.addEventListener("abort", leave, { once: true });
            worker.postMessage({ id, ...question }, given);
        });
    }

    /** The worker, which has the network. */
    #ready() {
        this.#worker ??= this.#start().catch((error) => {
            this.#worker = null; // the next question tries again
            throw error;
        });
        return this.#worker;
    }

    async #start() {
        await this.started;
        const about = await this.about();
        const worker = new Worker(new URL("./device/worker.js", import.meta.url), { type: "module" });
        try {
            await new Promise((resolve, reject) => {
                worker.onerror = () => reject(new EngineError("no-device"));
                worker.onmessage = ({ data }) => {
                    if (data.problem) reject(new EngineError(data.problem));
                    else if (data.ready) resolve((this.way = data.ready));
                    else this.onLoading?.(data.share);
                };
                worker.postMessage({ task: "start", about, page: new URL(".", document.baseURI).href });
            });
        } catch (error) {
            worker.terminate();
            throw error;
        } finally {
            this.onLoading?.(null);
        }
        worker.onmessage = ({ data }) => this.#heard(data);
        worker.onerror = () => this.#lost(worker);
        return worker;
    }

    /** @param {{id: number, answer?: any, problem?: string, way?: import("./types.js").Way}} data */
    #heard({ id, answer, problem, way }) {
        if (way) {
            this.way = way;
            this.#pace = new Pace(); // another speed
            this.onWay?.();
            return;
        }
        const waiting = this.#waiting.get(id);
        this.#waiting.delete(id);
        if (problem) waiting?.reject(new EngineError(problem));
        else waiting?.resolve(answer);
    }

    /**
     * The worker has ended, perhaps for want of memory: the next question starts another one.
     * @param {Worker} worker
     */
    #lost(worker) {
        worker.terminate();
        this.#worker = null;
        for (const { reject } of this.#waiting.values()) reject(new EngineError("no-memory"));
        this.#waiting.clear();
    }
}

/**
 * @param {string} address
 * @throws {EngineError} where it cannot be had
 */
async function fetchJson(address) {
    try {
        const response = await fetch(address);
        if (!response.ok) throw new EngineError("failed");
        return await response.json();
    } catch (error) {
        if (error instanceof TypeError) throw new EngineError("offline");
        if (error instanceof SyntaxError) throw new EngineError("failed");
        throw error;
    }
}
