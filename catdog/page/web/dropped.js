// What a visitor drops or pastes: the files in it, folders opened.

/** @type {WeakMap<File, string>} Browsers leave a file's own `webkitRelativePath` empty where its folder was dropped. */
const paths = new WeakMap();

/**
 * A file's name with the folders it was found in, of one that was chosen or dropped together with them.
 * @param {File} file
 */
export function pathOf(file) {
    return paths.get(file) || file.webkitRelativePath || file.name;
}

/**
 * The files of a drop, in the order of their names where they come from a folder. The browser empties the transfer
 * when its event ends, so this must be called before anything is awaited.
 * @param {DataTransfer} transfer
 * @returns {Promise<{files: File[], folder: boolean}>}
 */
export async function filesOf(transfer) {
    const entries = [...transfer.items]
        .filter((item) => item.kind === "file")
        .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
    const found = await Promise.all(
        entries.map((entry) => (entry instanceof File ? [entry] : entry ? filesBelow(entry) : [])),
    );
    return { files: found.flat(), folder: entries.some((entry) => entry && "isDirectory" in entry && entry.isDirectory) };
}

/**
 * Whether something dragged holds files; their names are hidden until they are dropped.
 * @param {DataTransfer | null} transfer
 */
export function hasFiles(transfer) {
    return transfer?.types.includes("Files") ?? false;
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<File[]>}
 */
async function filesBelow(entry) {
    if (entry.isFile) {
        const file = /** @type {FileSystemFileEntry} */ (entry);
        const found = await new Promise((/** @type {(file: File) => void} */ resolve, reject) => file.file(resolve, reject));
        paths.set(found, entry.fullPath.replace(/^\//, ""));
        return [found];
    }
    const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
    const children = [];
    for (;;) {
        /** @type {FileSystemEntry[]} */
        const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (!some.length) break; // a browser hands over a hundred at a time
        children.push(...some);
    }
    children.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
    const found = await Promise.all(children.filter((child) => !child.name.startsWith(".")).map(filesBelow));
    return found.flat();
}
