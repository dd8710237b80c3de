/** Asks the engine about one photo, however the browser and the engine stand at that moment. */
import { EngineError, engine } from "../engine/index.js";
import { toPicture } from "../pictures.js";

/**
 * @typedef {import("../engine/types.js").Explanation} Explanation
 * @typedef {ImageBitmap | HTMLImageElement} Picture
 */

const DRAWN = /^image\/(jpeg|png|webp|gif|bmp|avif)$/; // by every browser; others need a preview, most likely
const NO_PICTURE = /^(video|audio|text|font)\/|^application\/(pdf|zip|json|msword)/; // not even sent
const TRIES = 5; // while the engine is busy
const REST = 1500; // ms between them

/**
 * @param {Blob} file
 * @param {AbortSignal} signal
 * @param {(picture: Picture) => void} onPicture as soon as the browser has drawn it
 * @returns {Promise<{picture: Picture, explanation: Explanation}>}
 * @throws {EngineError | DOMException} AbortError, once the signal says so
 */
export async function ask(file, signal, onPicture) {
    if (NO_PICTURE.test(file.type)) throw new EngineError("unknown-type");
    const drawing = toPicture(file);
    drawing.then((picture) => picture && !signal.aborted && onPicture(picture), () => null);
    const preview = !DRAWN.test(file.type) && !(await drawing);
    const explanation = await patiently(() => engine.explain(file, { preview, signal }), signal);
    const picture = (await drawing) ?? (await previewOf(file, explanation, signal));
    signal.throwIfAborted();
    return { picture, explanation };
}

/**
 * The picture of a file that was answered before.
 * @param {Blob} file
 * @param {Explanation} explanation
 * @param {AbortSignal} signal
 * @returns {Promise<Picture>}
 */
export async function draw(file, explanation, signal) {
    const picture = (await toPicture(file)) ?? (await previewOf(file, explanation, signal));
    signal.throwIfAborted();
    return picture;
}

/**
 * A file of the page, such as an example photo.
 * @param {string} address
 * @param {AbortSignal} [signal]
 */
export async function fetchFile(address, signal) {
    try {
        const response = await fetch(address, { signal });
        if (!response.ok) throw new EngineError("failed");
        return await response.blob();
    } catch (error) {
        if (error instanceof TypeError) throw new EngineError("offline"); // that is how fetch says so
        throw error;
    }
}

/**
 * Tries again for a while where the engine is busy.
 * @template Found
 * @param {() => Promise<Found>} act
 * @param {AbortSignal} signal
 * @returns {Promise<Found>}
 */
export async function patiently(act, signal) {
    for (let tried = 1; ; tried++) {
        try {
            return await act();
        } catch (error) {
            if (!(error instanceof EngineError) || error.code !== "busy" || tried === TRIES) throw error;
            await new Promise((resolve) => setTimeout(resolve, Math.max(REST, 1000 * (error.wait ?? 0))));
            signal.throwIfAborted();
        }
    }
}

/**
 * @param {Blob} file that this browser cannot draw
 * @param {Explanation} explanation
 * @param {AbortSignal} signal
 * @returns {Promise<HTMLImageElement>}
 */
async function previewOf(file, explanation, signal) {
    const { preview } = explanation.preview ? explanation : await patiently(() => engine.explain(file, { preview: true, signal }), signal);
    if (!preview) throw new EngineError("damaged");
    explanation.preview = preview; // for the next time it is shown
    const picture = new Image();
    picture.src = preview;
    await picture.decode();
    return picture;
}

/** Asks one question at a time: a newer one ends what was asked before, and takes its place. */
export class Latest {
    #asked = new AbortController();

    end() {
        this.#asked.abort();
    }

    /**
     * @template Found
     * @param {(signal: AbortSignal) => Promise<Found>} act
     * @param {(found: Found) => void} onFound
     * @param {(code: string) => void} onProblem neither is told of a question that was ended
     */
    async ask(act, onFound, onProblem) {
        this.end();
        const { signal } = (this.#asked = new AbortController());
        try {
            const found = await patiently(() => act(signal), signal);
            if (!signal.aborted) onFound(found);
        } catch (error) {
            if (!signal.aborted) onProblem(error instanceof EngineError ? error.code : "failed");
        }
    }
}
