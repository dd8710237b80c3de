/** Hands a file to the visitor. */

const TAKEN = 60_000; // ms, by when the browser has begun to write it

/**
 * @param {Blob} blob
 * @param {string} name of the file
 */
export function download(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), TAKEN);
}
