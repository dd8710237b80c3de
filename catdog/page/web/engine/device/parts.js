/** The site's large files, each whole or not at all. */
import { EngineError } from "../types.js";

/** @type {Set<string>} addresses of what came damaged: not from the browser's cache again */
const damaged = new Set();

/** @typedef {{file: string, bytes: number, sha256: string}} Part a file of the site, and what it must be */

/**
 * A file, whole.
 * @param {Part} part
 * @param {string} page
 * @param {(bytes: number) => void} onBytes told of each piece that comes
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {EngineError} where it cannot be had, or is not what was built
 */
export async function fetched({ file, bytes, sha256 }, page, onBytes) {
    const address = new URL(file, page).href;
    const content = new Uint8Array(bytes); // a server may not say how many, or say how many are left after compression
    let come = 0;
    try {
        const response = await fetch(address, { cache: damaged.has(address) ? "reload" : "default" });
        if (!response.ok || !response.body) throw new EngineError("offline");
        const reader = response.body.getReader();
        for (;;) {
            const { value, done } = await reader.read();
            if (done) break;
            if (come + value.length <= bytes) content.set(value, come);
            come += value.length;
            onBytes(value.length);
        }
    } catch (error) {
        if (error instanceof TypeError) throw new EngineError("offline"); // that is how fetch says so
        throw error;
    }
    if (come === bytes && (await isWhole(content, sha256))) return content;
    damaged.add(address);
    await forget(address); // or it would come from there again
    throw new EngineError("broken-network");
}

/** @param {Uint8Array<ArrayBuffer>} packed by gzip */
export async function unpacked(packed) {
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/**
 * Whether it is what was built.
 * @param {Uint8Array<ArrayBuffer>} content
 * @param {string} sha256 in hexadecimal
 */
async function isWhole(content, sha256) {
    if (!globalThis.crypto?.subtle) return true; // no secure context: nobody vouches for the page either
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
    const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return found === sha256;
}

/**
 * Take a file out of what the service worker keeps.
 * @param {string} address
 */
async function forget(address) {
    if (!globalThis.caches) return;
    for (const name of await caches.keys()) await (await caches.open(name)).delete(address);
}
