/** The engine that asks the server this page came from; all its addresses are relative to the page. */
import { EngineError } from "./types.js";
import { sizeOf } from "../pictures.js";

/** @typedef {import("./types.js").FrameOptions & {canvas: HTMLCanvasElement}} Frame */

const PATIENCE = 120_000; // ms for a photo: 50 MB on a slow line take a while to arrive
const FRAME_PATIENCE = 15_000; // ms
const INSIDE_PATIENCE = 600_000; // ms: the slowest method takes a minute, and others may wait before it
const FRAME_SIDE = 240; // px, short side of the frame that is sent: a little over what the network sees of it
const FRAME_QUALITY = 0.75;
const MEGABYTE = 1024 * 1024;
/** @type {Record<number, string>} */
const PROBLEMS = { 408: "slow", 413: "too-large", 429: "busy", 502: "offline", 503: "busy", 504: "slow" }; // from a proxy

export class ServerEngine {
    where = /** @type {const} */ ("server");
    onLoading = null; // a server has its network
    way = null;

    /** @type {Promise<import("./types.js").About> | null} */
    #about = null;
    /** @type {import("./newest.js").Newest<Frame, import("./types.js").Explanation> | null} */
    #frames = null;

    about() {
        this.#about ??= ask("about.json", {}).catch((error) => {
            this.#about = null; // the next call tries again
            throw error;
        });
        return this.#about;
    }

    /**
     * @param {Blob} picture
     * @param {{size?: number, preview?: boolean, signal?: AbortSignal}} [options]
     */
    async explain(picture, { size, preview, signal } = {}) {
        return explanationOf(await this.#send("engine/explain", picture, { size, preview: preview ? 1 : undefined }, signal));
    }

    /**
     * @param {CanvasImageSource} picture
     * @param {import("./types.js").FrameOptions} [options]
     */
    async frame(picture, options = {}) {
        const canvas = reduced(picture, Math.max(FRAME_SIDE, options.size ?? 0)); // as it is now
        const { Newest } = await import("./newest.js");
        this.#frames ??= new Newest((/** @type {Frame} */ frame) => this.#answerFrame(frame));
        return this.#frames.ask({ canvas, ...options });
    }

    /**
     * @param {import("./types.js").Source[]} files
     * @param {(index: number, answer: import("./types.js").Answer) => void} onAnswer
     * @param {import("./many.js").Options} [options]
     */
    async many(files, onAnswer, options = {}) {
        const { answerMany } = await import("./many.js");
        const signature = options.signed ? 1 : undefined;
        const classify = async (/** @type {Blob} */ file) => signedOf(await this.#send("engine/classify", file, { signature }, options.signal));
        return answerMany(files, classify, onAnswer, options);
    }

    /**
     * @param {string} kind `layers`, `blocks`, `weights`, `features`, `stages` or `methods`
     * @param {Blob} picture
     * @param {Record<string, any>} [options] what the kind takes, a `signal`, and `onShare`, which is told how far the work is
     */
    async inside(kind, picture, { signal, onShare, ...parameters } = {}) {
        const [{ lastLine }, { insideOf }] = await Promise.all([import("./lines.js"), import("./inside.js")]);
        const read = (/** @type {Response} */ response) => lastLine(response, onShare);
        return insideOf(kind, await this.#send(`engine/${kind}`, picture, parameters, signal, INSIDE_PATIENCE, read));
    }

    /**
     * @param {string} address
     * @param {Blob} picture
     * @param {Record<string, string | number | undefined>} parameters
     * @param {AbortSignal} [signal]
     * @param {number} [patience] ms
     * @param {(response: Response) => Promise<any>} [read] what is asked for
     */
    async #send(address, picture, parameters, signal, patience, read) {
        const { limits } = await this.about();
        signal?.throwIfAborted();
        if (picture.size === 0) throw new EngineError("empty");
        if (picture.size > limits.megabytes * MEGABYTE) throw new EngineError("too-large"); // before it is sent
        try {
            return await ask(withQuery(address, parameters), { method: "POST", body: picture, signal }, patience, read);
        } catch (error) {
            if (error instanceof EngineError && error.code === "offline") await mustBeReadable(picture);
            throw error;
        }
    }

    /** @param {Frame} frame */
    async #answerFrame({ canvas, size, signed, signal }) {
        const body = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", FRAME_QUALITY));
        const address = withQuery("engine/frame", { size, signature: signed ? 1 : undefined });
        return explanationOf(await ask(address, { method: "POST", body, signal }, FRAME_PATIENCE));
    }
}

/**
 * @param {string} address
 * @param {Record<string, string | number | undefined>} parameters
 */
function withQuery(address, parameters) {
    const asked = Object.entries(parameters).filter(([, value]) => value !== undefined);
    const query = new URLSearchParams(asked.map(([name, value]) => [name, String(value)])).toString();
    return query ? `${address}?${query}` : address;
}

/**
 * One request, its answer or an EngineError.
 * @param {string} address
 * @param {RequestInit & {signal?: AbortSignal}} request
 * @param {number} [patience] ms
 * @param {(response: Response) => Promise<any>} [read]
 */
async function ask(address, { signal, ...request }, patience = PATIENCE, read = (response) => response.json()) {
    signal?.throwIfAborted();
    const ended = new AbortController();
    const stop = () => ended.abort(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    const timer = setTimeout(() => ended.abort(new EngineError("slow")), patience);
    try {
        const response = await fetch(address, { ...request, signal: ended.signal });
        if (response.ok) return await read(response);
        const told = await response.json().catch(() => null); // a proxy answers with a page of its own
        const wait = Number(response.headers.get("Retry-After")) || undefined;
        throw new EngineError(told?.problem ?? PROBLEMS[response.status] ?? "failed", wait);
    } catch (error) {
        if (ended.signal.aborted) throw ended.signal.reason;
        if (error instanceof TypeError) throw new EngineError("offline"); // that is how fetch says so
        if (error instanceof SyntaxError) throw new EngineError("failed"); // no JSON
        throw error;
    } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
    }
}

/**
 * A file that was moved or changed since it was chosen fails like a lost connection.
 * @param {Blob} picture
 */
async function mustBeReadable(picture) {
    try {
        await picture.slice(0, 1).arrayBuffer();
    } catch {
        throw new EngineError("gone");
    }
}

/**
 * @param {CanvasImageSource} picture
 * @param {number} side px, of the short side at most
 */
function reduced(picture, side) {
    const [width, height] = sizeOf(picture);
    const times = Math.min(1, side / Math.min(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * times));
    canvas.height = Math.max(1, Math.round(height * times));
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return canvas;
}

/**
 * The server's answer with its maps as typed arrays.
 * @param {any} answer
 * @returns {import("./types.js").Explanation}
 */
export function explanationOf(answer) {
    const { evidence, extent, preview, ...rest } = signedOf(answer);
    return { ...rest, evidence: mapsOf(evidence), extent: extent ? mapsOf(extent) : null, preview: preview ?? null };
}

/**
 * The server's answer with its signature, where it has one, as numbers.
 * @param {any} answer
 */
const signedOf = ({ signature, ...rest }) => ({ ...rest, signature: signature ? Float32Array.from(signature) : null });

/**
 * @param {[number[][], number[][]]} maps cat, dog
 * @returns {import("./types.js").Maps}
 */
export function mapsOf([cat, dog]) {
    return { height: cat.length, width: cat[0].length, cat: Float32Array.from(cat.flat()), dog: Float32Array.from(dog.flat()) };
}
