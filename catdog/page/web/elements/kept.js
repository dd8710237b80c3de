/**
 * What stays on the visitor's device: the last answer, for a reload, corrections, and pets that were taught. Where storage
 * is refused, as in some private windows, nothing is kept and the page goes on without.
 */

/**
 * @typedef {import("./visit.js").Answer} Answer
 * @typedef {import("./labels.js").Correction} Correction
 */

const NAME = "catdog";
const LAST = "last"; // one answer a browser tab
const CORRECTIONS = "corrections";
const PETS = "pets"; // one file of all
const VERSION = 2; // of what the stores are
const DAY = 24 * 60 * 60 * 1000; // ms, after which the last answer of a closed tab is deleted

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

/**
 * Keeps the answer that this browser tab shows.
 * @param {Answer} answer
 */
export async function keepLast(answer) {
    await inStore(LAST, "readwrite", (store) => store.put({ answer, at: Date.now() }, tabName()));
}

/**
 * The answer that this browser tab showed before a reload. Those of tabs closed a day ago are deleted.
 * @returns {Promise<Answer | null>}
 */
export async function lastKept() {
    let found = null;
    await inStore(LAST, "readwrite", (store) => {
        const tab = tabName();
        const request = store.openCursor();
        request.onsuccess = () => {
            const cursor = request.result;
            if (!cursor) return;
            if (cursor.key === tab) found = cursor.value.answer;
            else if (cursor.value.at < Date.now() - DAY) cursor.delete();
            cursor.continue();
        };
        return request;
    });
    return found;
}

/**
 * Keeps a correction, in the place of an earlier one of the same answer.
 * @param {Correction} correction
 * @returns {Promise<boolean>} whether it could be kept
 */
export async function keepCorrection(correction) {
    return inStore(CORRECTIONS, "readwrite", (store) => store.put(correction, correction.id));
}

/** @returns {Promise<Correction[]>} all that are kept, oldest first */
export async function keptCorrections() {
    /** @type {Correction[]} */
    let found = [];
    await inStore(CORRECTIONS, "readonly", (store) => {
        const request = store.getAll();
        request.onsuccess = () => (found = request.result);
        return request;
    });
    return found.sort((a, b) => a.at - b.at);
}

/** Forgets all corrections. */
export async function forgetCorrections() {
    await inStore(CORRECTIONS, "readwrite", (store) => store.clear());
}

/** @returns {Promise<string | null>} the file of the pets, as pets.js reads it */
export async function keptPets() {
    /** @type {string | null} */
    let found = null;
    await inStore(PETS, "readonly", (store) => {
        const request = store.get(PETS);
        request.onsuccess = () => (found = request.result ?? null);
        return request;
    });
    return found;
}

/** @returns {Promise<boolean>} whether this browser keeps anything */
export async function canKeepPets() {
    return inStore(PETS, "readonly", (store) => store.count());
}

/**
 * Keeps the pets, for as long as the browser can be asked to: some delete what a page keeps after a week.
 * @param {string | null} file null: there are none
 * @returns {Promise<boolean>} whether it could be kept
 */
export async function keepPets(file) {
    navigator.storage?.persist?.().catch(() => null);
    return inStore(PETS, "readwrite", (store) => (file === null ? store.clear() : store.put(file, PETS)));
}

/**
 * @param {string} name of the store
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} act
 * @returns {Promise<boolean>} false where storage is refused or full
 */
async function inStore(name, mode, act) {
    try {
        const database = await (opened ??= open());
        await new Promise((resolve, reject) => {
            const transaction = database.transaction(name, mode);
            transaction.oncomplete = resolve;
            transaction.onabort = transaction.onerror = () => reject(transaction.error);
            act(transaction.objectStore(name));
        });
        return true;
    } catch {
        return false;
    }
}

/** @returns {Promise<IDBDatabase>} */
function open() {
    return new Promise((resolve, reject) => {
        const request = indexedDB.open(NAME, VERSION);
        request.onupgradeneeded = () => {
            const { result } = request;
            for (const name of [LAST, CORRECTIONS, PETS]) if (!result.objectStoreNames.contains(name)) result.createObjectStore(name);
        };
        request.onsuccess = () => {
            request.result.onversionchange = () => request.result.close(); // for a window with a newer page
            resolve(request.result);
        };
        request.onerror = request.onblocked = () => reject(request.error);
    });
}

/** A name for this browser tab that outlives a reload and no more. */
function tabName() {
    const known = sessionStorage.getItem(NAME);
    if (known) return known;
    const name = `${Date.now()}-${Math.random()}`;
    sessionStorage.setItem(NAME, name);
    return name;
}
