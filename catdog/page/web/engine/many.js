/** Answers many files, a few at a time, and goes on after one that fails. */
import { EngineError } from "./types.js";

const AT_ONCE = 3;
const TRIES = 8; // of a file for which the engine is busy or not to be reached
const WAIT = 1000; // ms before the second try, twice as long before each one after that
const LONGEST_WAIT = 15_000; // ms

/**
 * @param {File[]} files
 * @param {(file: File) => Promise<import("./types.js").Answer>} answer may throw EngineError
 * @param {(index: number, answer: import("./types.js").Answer) => void} onAnswer as they come, in any order
 * @param {{signal?: AbortSignal, pause?: (milliseconds: number, signal?: AbortSignal) => Promise<void>}} [options]
 * @throws {DOMException} AbortError, once the signal says so
 */
export async function answerMany(files, answer, onAnswer, { signal, pause = rest } = {}) {
    let next = 0;
    const work = async () => {
        while (next < files.length) {
            const index = next++;
            onAnswer(index, await answerOne(() => answer(files[index]), pause, signal));
        }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, files.length) }, work));
}

/**
 * @param {() => Promise<import("./types.js").Answer>} answer
 * @param {(milliseconds: number, signal?: AbortSignal) => Promise<void>} pause
 * @param {AbortSignal} [signal]
 * @returns {Promise<import("./types.js").Answer>}
 */
async function answerOne(answer, pause, signal) {
    for (let tried = 1; ; tried++) {
        signal?.throwIfAborted();
        try {
            const found = await answer();
            signal?.throwIfAborted();
            return found;
        } catch (error) {
            if (!(error instanceof EngineError)) throw error;
            const passing = error.code === "busy" || error.code === "offline";
            if (!passing || tried === TRIES) return { problem: error.code };
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
