/** The server's answers to questions of a single tab, in the form in which the device gives them. */
import { explanationOf, mapsOf } from "./server.js";

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
    if (kind === "features") return { ...answer, features: new Float32Array(bytesOf(answer.features).buffer), evidence: mapsOf(answer.evidence) };
    return answer;
}

/** @param {any} layer whose channels come in base64 */
function layerOf({ shown, ...layer }) {
    return { ...layer, shown: shown.map((/** @type {any} */ channel) => ({ ...channel, values: bytesOf(channel.values) })) };
}

/** @param {string} text in base64 */
const bytesOf = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
