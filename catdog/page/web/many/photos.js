// What a visitor hands over (files, folders, zips) as a list of photos to be answered.

import { ArchiveError, picturesIn } from "./archive.js";
import { baseName, isPicture, isZip } from "./names.js";

/**
 * One photo and what became of it. A photo with neither `prediction` nor `problem` is still to be answered.
 * @typedef {{
 *   path: string,
 *   key: string,
 *   name: string,
 *   bytes: number,
 *   open: () => Promise<File>,
 *   prediction: import("../engine/types.js").Prediction | null,
 *   size: [number, number] | null,
 *   signature?: Float32Array | null,
 *   problem: string | null,
 *   thumbnail: string | null | undefined,
 * }} Photo
 *   `path` with its folders or its zip, as the visitor knows it; `key` the same for the same file handed over again; `bytes` its size;
 *   `signature` what the visitor's own pets are known by, where there are any; `size` width and height of the upright picture; `thumbnail` the address of a small copy, null where the browser cannot draw it,
 *   undefined before it is made
 */

/**
 * The photos among files; of a folder or zip only what is a picture by its name. Nothing is unpacked or sent.
 * @param {File[]} files
 * @param {(file: File) => string} pathOf with the folders in which a file was found
 * @returns {Promise<{photos: Photo[], refused: {name: string, code: string}[]}>} and the zips that are not opened
 */
export async function photosAmong(files, pathOf) {
    /** @type {Photo[]} */
    const photos = [];
    const refused = [];
    for (const file of files) {
        const path = pathOf(file);
        const inFolder = path.includes("/");
        if (isZip(path)) {
            try {
                for (const { name, size, open } of await picturesIn(file)) photos.push(photoOf(`${path}/${name}`, size, open));
            } catch (error) {
                if (!(error instanceof ArchiveError)) throw error;
                refused.push({ name: file.name, code: error.code });
            }
        } else if (!inFolder || isPicture(path)) {
            const key = inFolder ? path : `${path} ${file.size} ${file.lastModified}`;
            photos.push({ ...photoOf(path, file.size, async () => file), key });
        }
    }
    return { photos, refused };
}

/**
 * @param {string} path
 * @param {number} bytes
 * @param {() => Promise<File>} open
 * @returns {Photo}
 */
function photoOf(path, bytes, open) {
    const answer = { prediction: null, size: null, problem: null, thumbnail: undefined };
    return { path, key: path, name: baseName(path), bytes, open, ...answer };
}

/**
 * A list with further photos: one that is handed over again takes its own earlier place.
 * @param {Photo[]} photos
 * @param {Photo[]} more
 */
export function withMore(photos, more) {
    const places = new Map(photos.map((photo, place) => [photo.key, place]));
    const list = [...photos];
    for (const photo of more) {
        const place = places.get(photo.key);
        if (place === undefined) list.push(photo);
        else list[place] = photo;
        places.delete(photo.key); // two of one name that come together are both kept
    }
    return list;
}

/**
 * Whether a photo is larger than the engine takes; it is not even opened then.
 * @param {Photo} photo
 * @param {number} megabytes
 */
export const isTooLarge = (photo, megabytes) => photo.bytes > megabytes * 2 ** 20;

/** @param {Photo} photo */
export const isDone = ({ prediction, problem }) => prediction !== null || problem !== null;
