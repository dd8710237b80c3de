/** Files to bitmaps, and bitmaps to upright, opaque pixels in sRGB. */
import { EngineError } from "../types.js";
import { isHeic, openHeic } from "./heic.js";

const LONGEST = 20; // a picture's long side in short ones: a longer strip shows nothing
const MEGAPIXEL = 10 ** 6;
const SPARE = 1.1; // times as many pixels as the network's input has
const HEAD = 12; // bytes
/** What browsers read: JPEG, PNG, GIF, WebP, BMP, AVIF. */
const KNOWN = /^(\xff\xd8\xff|\x89PNG|GIF8|RIFF....WEBP|BM|....ftypavi[fs])/s;

/**
 * @param {Blob} file
 * @param {{megapixels: number, heic: string}} options `heic`: the address of what reads HEIC
 * @returns {Promise<ImageBitmap>} upright
 * @throws {EngineError} for what is no picture
 */
export async function openPicture(file, { megapixels, heic }) {
    try {
        return await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch (error) {
        if (!(error instanceof DOMException)) throw error;
    }
    const head = await headOf(file);
    if (isHeic(head)) return openHeic(file, heic, megapixels * MEGAPIXEL);
    throw new EngineError(KNOWN.test(head) ? "damaged" : "unknown-here");
}

/**
 * @param {ImageBitmap} bitmap
 * @param {number} megapixels at most
 * @param {number} [side] of the short side, in pixels, that is enough: for frames, which come before they can be counted
 * @returns {{data: Uint8ClampedArray, width: number, height: number}} red, green, blue, alpha, row by row
 * @throws {EngineError} for what is too large, or too long
 */
export function pixelsOf(bitmap, megapixels, side = Infinity) {
    let { width, height } = bitmap;
    if (width * height > megapixels * MEGAPIXEL) throw new EngineError("too-large");
    if (Math.max(width, height) > LONGEST * Math.min(width, height)) throw new EngineError("too-long");
    const times = Math.min(1, (SPARE * side) / Math.min(width, height));
    [width, height] = [width, height].map((length) => Math.round(length * times));
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
    if (!context) throw new EngineError("no-memory");
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
}

/**
 * A file's first bytes, a character a byte.
 * @param {Blob} file
 */
async function headOf(file) {
    try {
        return new TextDecoder("latin1").decode(await file.slice(0, HEAD).arrayBuffer());
    } catch {
        throw new EngineError("gone");
    }
}
