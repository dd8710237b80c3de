/** Answers many files, a few at a time, and goes on after one that fails. */
import { EngineError } from "./types.js";

const AT_ONCE = 3;
const WAIT = 1000; // ms before the second try, twice as long before each one after that
const LONGEST_WAIT = 10_000; // ms

/**
 * @typedef {object} Options
 * @property {AbortSignal} [signal]
 * @property {boolean} [signed] the answers have their signatures
 * @property {(code: "busy" | "offline" | null) => void} [onWait] what it waits for before it goes on; null: it does
 * @property {(milliseconds: number, signal?: AbortSignal) => Promise<void>} [pause]
 */

/**
 * While the engine is busy or not to be reached it waits, however long that takes; the signal ends it.
 * @param {import("./types.js").Source[]} files
 * @param {(file: Blob) => Promise<import("./types.js").Answer>} answer may throw EngineError
 * @param {(index: number, answer: import("./types.js").Answer) => void} onAnswer as they come, in any order
 * @param {Options} [options]
 * @throws {DOMException} AbortError, once the signal says so
 */
export async function answerMany(files, answer, onAnswer, options = {}) {
    let next = 0;
    const work = async () => {
        while (next < files.length) {
            const index = next++;
            const file = files[index];
            onAnswer(index, await answerOne(async () => answer(file instanceof Blob ? file : await file()), options));
        }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, files.length) }, work));
}

/**
 * @param {() => Promise<import("./types.js").Answer>} answer
 * @param {Options} options
 * @returns {Promise<import("./types.js").Answer>}
 */
async function answerOne(answer, { signal, onWait, pause = rest }) {
    for (let tried = 1; ; tried++) {
        signal?.throwIfAborted();
        try {
            const found = await answer();
            signal?.throwIfAborted();
            onWait?.(null);
            return found;
        } catch (error) {
            if (!(error instanceof EngineError)) throw error;
            if (error.code !== "busy" && error.code !== "offline") return { problem: error.code };
            onWait?.(error.code);
            await pause(Math.min(LONGEST_WAIT, Math.max(WAIT * 2 ** (tried - 1), 1000 * (error.wait ?? 0))), signal);
        }
    }
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function rest(milliseconds, signal) {
    return new Promise((resolve, reject) => {
        const stop = () => {
            clearTimeout(timer);
            reject(signal?.reason);
        };
        const timer = setTimeout(() => {
            signal?.removeEventListener("abort", stop);
            resolve();
        }, milliseconds);
        signal?.addEventListener("abort", stop, { once: true });
    });
}
