// The photos sorted into folders by what they were taken for, as a zip made on the device.

import { baseName } from "./names.js";
import { kindOf } from "./order.js";

/** @typedef {import("./photos.js").Photo} Photo */

const MAX_BYTES = 4 * 2 ** 30 - 2 ** 24; // the format's own limit without its extension for large files, less the headers

/**
 * Each photo with its place in the zip: `cat/`, `dog/`, `both/`, `neither/` or `unreadable/` and its own name, numbered where two
 * would have one. Names that differ by case alone are one name to Windows and macOS.
 * @param {Photo[]} photos
 * @returns {[string, Photo][]}
 */
export function placesOf(photos) {
    const taken = new Set();
    return photos.map((photo) => {
        const name = baseName(photo.path);
        const dot = name.lastIndexOf(".");
        const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
        let place = `${kindOf(photo)}/${name}`;
        for (let number = 2; taken.has(place.toLowerCase()); number += 1) place = `${kindOf(photo)}/${stem} (${number})${ending}`;
        taken.add(place.toLowerCase());
        return [place, photo];
    });
}

/** @param {Photo[]} photos */
export const fitsOneZip = (photos) => photos.reduce((sum, { bytes }) => sum + bytes, 0) <= MAX_BYTES;

/**
 * The zip. One photo at a time is in memory; what is written goes to the browser's own storage of blobs.
 * @param {Photo[]} photos
 * @param {{onProgress: (done: number) => void, signal: AbortSignal}} options
 * @returns {Promise<{zip: Blob, missing: number}>} and how many photos could no longer be read
 */
export async function sortedZip(photos, { onProgress, signal }) {
    const { Zip, ZipPassThrough } = await import("../vendor/fflate.js"); // only those who ask for it load it
    /** @type {Blob[]} */
    const parts = [];
    let missing = 0;
    const zip = new Zip((error, bytes) => {
        if (error) throw error;
        parts.push(new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]));
    });
    for (const [done, [place, photo]] of placesOf(photos).entries()) {
        signal.throwIfAborted();
        const file = await photo.open().catch(() => null); // deleted, or damaged in its zip
        const content = await file?.arrayBuffer().catch(() => null);
        if (file && content) {
            const entry = new ZipPassThrough(place); // not compressed: photos are already
            entry.mtime = file.lastModified;
            zip.add(entry);
            entry.push(new Uint8Array(content), true);
        } else {
            missing += 1;
        }
        onProgress(done + 1);
    }
    zip.end();
    return { zip: new Blob(parts, { type: "application/zip" }), missing };
}
