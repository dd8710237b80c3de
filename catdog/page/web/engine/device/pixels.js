/** Files and bitmaps to upright, opaque pixels in sRGB. */
import { EngineError } from "../types.js";

const LONGEST = 20; // a picture's long side in short ones: a longer strip shows nothing
const MEGAPIXEL = 10 ** 6;

/**
 * @param {Blob | ImageBitmap} picture
 * @param {number} megapixels at most
 * @returns {Promise<{data: Uint8ClampedArray, width: number, height: number}>} red, green, blue, alpha, row by row
 * @throws {EngineError} for what is no picture, or too large
 */
export async function pixelsOf(picture, megapixels) {
    const bitmap = picture instanceof ImageBitmap ? picture : await opened(picture);
    const { width, height } = bitmap;
    try {
        if (width * height > megapixels * MEGAPIXEL) throw new EngineError("too-large");
        if (Math.max(width, height) > LONGEST * Math.min(width, height)) throw new EngineError("too-long");
        const canvas = new OffscreenCanvas(width, height);
        const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
        if (!context) throw new EngineError("no-memory");
        context.fillStyle = "white";
        context.fillRect(0, 0, width, height);
        context.drawImage(bitmap, 0, 0);
        return context.getImageData(0, 0, width, height);
    } finally {
        bitmap.close();
    }
}

/** @param {Blob} picture */
async function opened(picture) {
    try {
        return await createImageBitmap(picture, { imageOrientation: "from-image" });
    } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        throw new EngineError((await isReadable(picture)) ? "damaged" : "gone");
    }
}

/** @param {Blob} picture */
async function isReadable(picture) {
    return picture.slice(0, 1).arrayBuffer().then(() => true, () => false);
}
