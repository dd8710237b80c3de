// Small copies of photos, made by the browser for the cards that are in sight.

/** @typedef {import("./photos.js").Photo} Photo */

const SIDE = 256; // px: a card's width on a phone of twice the pixels; about 10 kB each
const AT_ONCE = 2; // photos decoded together: each needs up to 360 MB while it is

/**
 * The middle square of a picture, small; null where the browser cannot draw it.
 * @param {Photo} photo
 * @returns {Promise<Blob | null>}
 */
async function thumbnailOf(photo) {
    const [width, height] = photo.size ?? [1, 1];
    const resize = width < height ? { resizeWidth: SIDE } : { resizeHeight: SIDE };
    try {
        const bitmap = await createImageBitmap(await photo.open(), { ...resize, resizeQuality: "medium" });
        const canvas = new OffscreenCanvas(SIDE, SIDE);
        const [left, top] = [(SIDE - bitmap.width) / 2, (SIDE - bitmap.height) / 2];
        /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(bitmap, left, top);
        bitmap.close();
        return await canvas.convertToBlob({ type: "image/webp", quality: 0.8 });
    } catch {
        return null; // a kind of file that this browser does not know, or one that is gone: its card says what it is
    }
}

/** Makes thumbnails in the order asked for, a few at a time. */
export class Thumbnails {
    /** @type {Map<Photo, () => void>} */
    #asked = new Map();
    #making = 0;

    /**
     * @param {Photo} photo
     * @param {() => void} done called when its thumbnail is there
     */
    ask(photo, done) {
        this.#asked.set(photo, done);
        this.#make();
    }

    /** @param {Photo} photo one that is out of sight again */
    cancel(photo) {
        this.#asked.delete(photo);
    }

    async #make() {
        if (this.#making >= AT_ONCE || !this.#asked.size) return;
        const [photo, done] = /** @type {[Photo, () => void]} */ (this.#asked.entries().next().value);
        this.#asked.delete(photo);
        this.#making += 1;
        const blob = await thumbnailOf(photo);
        this.#making -= 1;
        photo.thumbnail = blob && URL.createObjectURL(blob);
        done();
        this.#make();
    }
}

/** @param {Photo[]} photos that are no longer shown */
export function forget(photos) {
    for (const { thumbnail } of photos) if (thumbnail) URL.revokeObjectURL(thumbnail);
}
