// File names: which are pictures, which are hidden; as catdog/images/names.py.

const ENDINGS = new Set(
    "jpg jpeg jpe jfif mpo png apng webp gif bmp dib tif tiff avif heic heif hif".split(" ").map((ending) => `.${ending}`),
);

/** What systems add beside photos, lower case: archives of macOS, thumbnails of Synology and Windows, Windows' settings. */
const COMPANIONS = new Set(["__macosx", "@eadir", "thumbs.db", "desktop.ini"]);

/**
 * The last part of a path.
 * @param {string} path
 */
export const baseName = (path) => path.slice(path.lastIndexOf("/") + 1);

/**
 * A name's ending with its dot, lower case; empty for a name without one.
 * @param {string} path
 */
export function endingOf(path) {
    const name = baseName(path);
    const dot = name.lastIndexOf(".");
    return dot > 0 ? name.slice(dot).toLowerCase() : "";
}

/**
 * Whether a file is taken for a picture by its name: its ending is one, and no part of its path is hidden.
 * @param {string} path
 */
export function isPicture(path) {
    const hidden = path.split("/").some((part) => part.startsWith(".") || COMPANIONS.has(part.toLowerCase()));
    return !hidden && ENDINGS.has(endingOf(path));
}

/** @param {string} path */
export const isZip = (path) => endingOf(path) === ".zip";
