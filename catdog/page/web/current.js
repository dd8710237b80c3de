// The photo last answered, which other tabs may look at again.

/**
 * @typedef {{file: Blob, name: string, explanation: import("./engine/types.js").Explanation | null}} CurrentPhoto
 */

/** Holds one photo, and tells by a `change` event when it is another. */
class Current extends EventTarget {
    /** @type {CurrentPhoto | null} */
    #photo = null;

    get photo() {
        return this.#photo;
    }

    set photo(photo) {
        this.#photo = photo;
        this.dispatchEvent(new Event("change"));
    }
}

export const current = new Current();
