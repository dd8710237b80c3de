/** How large a camera's frames are answered: as large as this device keeps up with, found out on the first ten. */

const SIZES = [224, 192, 160, 128]; // px, short side of the network's input
const ENOUGH = 60; // ms for a frame: fifteen a second, and a little for the page
const TRIED = 3; // frames at each size

export class Pace {
    #place = 0;
    /** @type {number[]} ms */
    #took = [];

    get size() {
        return SIZES[this.#place];
    }

    /**
     * @param {number} size that a frame was answered at
     * @param {number} milliseconds it took
     */
    add(size, milliseconds) {
        if (size !== this.size || this.#took.length === TRIED) return; // asked for before, or settled
        this.#took.push(milliseconds);
        if (this.#took.length < TRIED || this.#place === SIZES.length - 1) return;
        const [, middle] = this.#took.toSorted((one, other) => one - other);
        if (middle <= ENOUGH) return;
        this.#place++;
        this.#took = [];
    }
}
