/** The visitor's pets, for every tab of the page: kept on the device, learned from photos, and recognized in answers. */
import { engine } from "../engine/index.js";
import { fetchFile } from "../elements/asking.js";
import { canKeepPets, keepPets, keptPets } from "../elements/kept.js";
import { bankOf } from "./bank.js";
import { Pets } from "./pets.js";

/** @typedef {import("./pets.js").Recognition} Recognition */

/** Tells by a `change` event that there are others. */
class Mine extends EventTarget {
    /** @type {Pets | null} once they were opened */
    pets = null;
    /** Whether the browser keeps them; where it refuses, they last as long as the page. */
    stored = true;
    /** @type {string[]} the names of pets that are kept, but were taught to another checkpoint, to which they mean nothing */
    outdated = [];
    /** @type {Promise<Pets> | null} */
    #opened = null;

    /** Whether there is any pet to know. */
    get some() {
        return Boolean(this.pets?.all.size);
    }

    /**
     * The pets that are kept, with what is needed to know them.
     * @returns {Promise<Pets>}
     * @throws {import("../engine/types.js").EngineError} where that cannot be had
     */
    open() {
        this.#opened ??= this.#open().catch((error) => {
            this.#opened = null; // the next call tries again
            throw error;
        });
        return this.#opened;
    }

    /** Opens them where some are kept, so that answers can name them; nothing is fetched for a visitor without pets. */
    async openKept() {
        if (!this.pets && (await keptPets())) await this.open().catch(() => null);
    }

    async #open() {
        const { weights, channels, bank } = await engine.about();
        const pets = new Pets(weights, channels, bank ? bankOf(await (await fetchFile(bank)).arrayBuffer(), weights, channels) : null);
        this.stored = await canKeepPets();
        this.pets = pets;
        await this.#reread();
        if (pets.all.size) this.dispatchEvent(new Event("change"));
        return pets;
    }

    /**
     * Changes the pets, and keeps them.
     * @template Found
     * @param {(pets: Pets) => Found} act may throw PetError
     * @returns {Promise<Found>}
     */
    async change(act) {
        const pets = await this.open();
        if (this.stored) await this.#reread(); // another window may have changed them
        const found = act(pets);
        this.stored = await keepPets(pets.all.size ? pets.toJson() : null);
        this.dispatchEvent(new Event("change"));
        return found;
    }

    async #reread() {
        const kept = await keptPets();
        if (!this.pets) return;
        this.outdated = [];
        if (kept === null) return this.pets.clear();
        try {
            this.pets.read(kept);
        } catch {
            this.outdated = namesIn(kept);
        }
    }

    /**
     * Who a picture shows, if it is a pet of the visitor's; null before the pets are open.
     * @param {Parameters<Pets["recognized"]>[0]} answer
     * @returns {Recognition | null}
     */
    recognized(answer) {
        return this.pets?.recognized(answer) ?? null;
    }
}

export const mine = new Mine();

/**
 * The names in a file of pets, whatever checkpoint it is of.
 * @param {string} file
 * @returns {string[]}
 */
function namesIn(file) {
    try {
        return JSON.parse(file).pets.map((/** @type {any} */ { name }) => String(name));
    } catch {
        return [];
    }
}
