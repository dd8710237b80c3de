/** Answers that come in lines of JSON: how far the work is, again and again, and what came of it at last. */
import { EngineError } from "./types.js";

/**
 * @param {Response} response
 * @param {(share: number) => void} [onShare] told how far the work is, from 0 to 1
 * @returns {Promise<any>} the last line
 * @throws {EngineError} where that is a problem, or there is none
 */
export async function lastLine(response, onShare) {
    let last = null;
    for await (const line of linesOf(/** @type {ReadableStream<Uint8Array>} */ (response.body))) {
        last = JSON.parse(line);
        if (last.problem) throw new EngineError(last.problem);
        if (last.share !== undefined) onShare?.(last.share);
    }
    if (!last || last.share !== undefined) throw new EngineError("offline"); // cut off
    return last;
}

/** @param {ReadableStream<Uint8Array>} stream */
async function* linesOf(stream) {
    const reader = stream.getReader(), decoder = new TextDecoder();
    let begun = "";
    for (;;) {
        const { value, done } = await reader.read();
        const lines = (begun + decoder.decode(value, { stream: !done })).split("\n");
        begun = /** @type {string} */ (lines.pop());
        yield* lines.filter(Boolean);
        if (done) break;
    }
    if (begun) yield begun;
}
