/** Which engine a visitor prefers where the server offers both: remembered on the device. */

const REMEMBERED = "catdog-engine";

/** @returns {string | null} "server" or "device"; null where the visitor has not chosen */
export function chosen() {
    try {
        return localStorage.getItem(REMEMBERED);
    } catch {
        return null; // storage is refused
    }
}

/** @param {"server" | "device"} where */
export function choose(where) {
    try {
        localStorage.setItem(REMEMBERED, where);
    } catch {
        // it holds for this visit
    }
}
