/**
 * Corrections as a zip: photos in class folders and a labels.csv, so that `train.py --data` and `--relabel` read it.
 */

/**
 * @typedef {"cat" | "dog" | "both" | "neither"} Verdict
 * @typedef {object} Correction
 * @property {string} id of the answer that was corrected
 * @property {Blob} file
 * @property {string} name its file name
 * @property {Verdict} label what the visitor says it shows
 * @property {number} at when, in ms
 */

const EXTENSIONS = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif", "image/bmp": ".bmp",
    "image/tiff": ".tif", "image/avif": ".avif", "image/heic": ".heic", "image/heif": ".heif",
};
const LONGEST = 100; // characters of a name, so that any file system takes it

/**
 * The path of each photo in the zip: label, slash, its own name; a number where two have the same.
 * @param {readonly Pick<Correction, "file" | "name" | "label">[]} corrections
 * @returns {string[]} in their order
 */
export function pathsOf(corrections) {
    const taken = new Set();
    return corrections.map(({ file, name, label }) => {
        const [, stem, extension] = /^(.*?)(\.\w{1,5})?$/s.exec(safe(name)) ?? ["", "photo"];
        const ending = extension ?? EXTENSIONS[/** @type {keyof EXTENSIONS} */ (file.type)] ?? ".jpg";
        for (let count = 1; ; count++) {
            const path = `${label}/${stem.slice(0, LONGEST) || "photo"}${count > 1 ? `-${count}` : ""}${ending}`;
            const key = path.toLowerCase(); // some file systems take A.jpg and a.jpg for one
            if (taken.has(key)) continue;
            taken.add(key);
            return path;
        }
    });
}

/**
 * @param {readonly Correction[]} corrections
 * @param {readonly string[]} paths of `pathsOf`
 * @returns {string} labels.csv
 */
export function labelsCsv(corrections, paths) {
    const rows = corrections.map(({ label }, place) => `${quoted(paths[place])},${label}\n`);
    return `path,label\n${rows.join("")}`;
}

/**
 * @param {readonly Correction[]} corrections
 * @returns {Promise<Blob>} the zip; photos are compressed already, and go in as they are
 */
export async function zipOf(corrections) {
    const { Zip, ZipPassThrough, strToU8 } = await import("../vendor/fflate.js"); // large, and few save corrections
    /** @type {Uint8Array[]} */
    const chunks = [];
    const zip = new Zip((error, chunk) => {
        if (error) throw error;
        chunks.push(chunk);
    });
    /** @type {(path: string, content: Uint8Array) => void} */
    const add = (path, content) => {
        const entry = new ZipPassThrough(path);
        zip.add(entry);
        entry.push(content, true);
    };
    const paths = pathsOf(corrections);
    add("labels.csv", strToU8(labelsCsv(corrections, paths)));
    for (const [place, { file }] of corrections.entries()) add(paths[place], new Uint8Array(await file.arrayBuffer()));
    zip.end(); // all of it is written by then: nothing is left to another thread
    return new Blob(/** @type {BlobPart[]} */ (chunks), { type: "application/zip" });
}

/** @param {string} name */
function safe(name) {
    return name.replace(/^.*[/\\]/s, "").replace(/[\u0000-\u001f\u007f<>:"|?*]/g, "_").replace(/^\.+/, "").trim();
}

/** @param {string} text */
function quoted(text) {
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
