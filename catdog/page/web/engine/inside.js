/** The server's answers for the inside tab, in the form in which the device gives them. */
import { explanationOf } from "./server.js";

/**
 * @param {string} kind
 * @param {any} answer
 */
export function insideOf(kind, answer) {
    if (kind === "layers") return { ...answer, layers: answer.layers.map(layerOf) };
    if (kind === "blocks") return explanationOf(answer);
    if (kind === "weights") {
        return Object.fromEntries(Object.entries(answer).map(([name, each]) => [name, each && explanationOf(each)]));
    }
    return answer;
}

/** @param {any} layer whose channels come in base64 */
function layerOf({ shown, ...layer }) {
    const bytes = (/** @type {string} */ text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    return { ...layer, shown: shown.map((/** @type {any} */ channel) => ({ ...channel, values: bytes(channel.values) })) };
}
