/** Files to pictures that can be drawn. */

/** What a file chooser offers; some systems know no type for the last ones. */
export const PICTURES = "image/*,.heic,.heif,.hif,.avif,.tif,.tiff";
const LARGEST_SIDE = 4096; // px: more is seen on no screen, and a phone's memory is small

/**
 * @param {Blob} blob
 * @returns {Promise<ImageBitmap | null>} upright; null where this browser cannot read it: ask the engine for a preview
 */
export async function toPicture(blob) {
    try {
        const whole = await createImageBitmap(blob, { imageOrientation: "from-image" });
        const times = LARGEST_SIDE / Math.max(whole.width, whole.height);
        if (times >= 1) return whole;
        const size = { resizeWidth: Math.round(whole.width * times), resizeHeight: Math.round(whole.height * times) };
        const smaller = await createImageBitmap(whole, { ...size, resizeQuality: "high" });
        whole.close();
        return smaller;
    } catch (error) {
        if (error instanceof DOMException) return null; // HEIC, TIFF, a damaged file
        throw error;
    }
}

/**
 * Draws a picture as large as it is, or smaller.
 * @param {HTMLCanvasElement} canvas gets its shape
 * @param {CanvasImageSource} picture
 * @param {number} side px, of the longer side at most
 */
export function drawReduced(canvas, picture, side) {
    const [width, height] = sizeOf(picture);
    const times = Math.min(1, side / Math.max(width, height));
    canvas.width = Math.max(1, Math.round(width * times));
    canvas.height = Math.max(1, Math.round(height * times));
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
}

/**
 * Width and height of anything that can be drawn, in its own pixels.
 * @param {CanvasImageSource} picture
 * @returns {[number, number]}
 */
export function sizeOf(picture) {
    if (picture instanceof HTMLVideoElement) return [picture.videoWidth, picture.videoHeight];
    if (picture instanceof HTMLImageElement) return [picture.naturalWidth, picture.naturalHeight];
    const { width, height } = /** @type {ImageBitmap} */ (picture);
    return [width, height];
}
