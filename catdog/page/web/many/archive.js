// The photos in a visitor's zip, read on the device one at a time: only the zip's list of contents is in memory whole.
// The format is that of APPNOTE.TXT; the sections are named where it is read.

import { baseName, isPicture, isZip } from "./names.js";

/** Bytes. A list of contents of that size names about 10,000 files; a picture up to `small` is no bomb, however well it shrinks. */
export const LIMITS = { directory: 2 ** 20, unpacked: 2 * 2 ** 30, small: 2 ** 20, ratio: 200 };

const STORED = 0;
const DEFLATED = 8;
const PIECE = 2 ** 16; // bytes unpacked at a time; Deflate makes at most 1,032 times as much of them

/** Why a zip, or one picture in it, is not opened: `damaged`, `gone`, `encrypted`, `method`, `nested`, `names` or `bomb`. */
export class ArchiveError extends Error {
    /** @param {string} code */
    constructor(code) {
        super(code);
        this.code = code;
    }
}

/**
 * @typedef {{name: string, encrypted: boolean, method: number, crc: number, packed: number, size: number, offset: number}} Entry
 *   `packed` and `size` in bytes, `offset` of its local header in the file
 * @typedef {{name: string, size: number, open: () => Promise<File>}} Member a picture: its name with folders, its unpacked size,
 *   its bytes (throws ArchiveError `damaged` or `gone`)
 */

/**
 * The pictures in a zip, by their names' endings, in the order of the zip. Nothing is unpacked: the checks go by what the zip
 * says of itself, and opening a picture stops at the size that it states.
 * @param {Blob} zip
 * @returns {Promise<Member[]>}
 * @throws {ArchiveError} for a zip that is damaged, encrypted or packed in an unusual way, holds another zip, names files outside of
 *   itself, or would unpack to more than anyone means
 */
export async function picturesIn(zip, limits = LIMITS) {
    const entries = (await readDirectory(zip, limits)).filter(({ name }) => !name.endsWith("/"));
    if (entries.some(({ name }) => leadsOutside(name))) throw new ArchiveError("names");
    if (entries.some(({ name }) => isZip(name))) throw new ArchiveError("nested");
    const pictures = entries.filter(({ name }) => isPicture(name));
    if (pictures.some(({ encrypted }) => encrypted)) throw new ArchiveError("encrypted");
    if (pictures.some(({ method }) => method !== STORED && method !== DEFLATED)) throw new ArchiveError("method");
    if (isBomb(pictures, limits)) throw new ArchiveError("bomb");
    return pictures.map((entry) => ({ name: entry.name, size: entry.size, open: () => unpack(zip, entry) }));
}

/**
 * Whether a name is absolute, climbs out of its folder, or is written for Windows so that it might.
 * @param {string} name
 */
function leadsOutside(name) {
    const parts = name.split("/");
    return name.startsWith("/") || name.includes("\\") || parts[0].includes(":") || parts.includes("..");
}

/**
 * @param {Entry[]} entries
 * @param {typeof LIMITS} limits
 */
function isBomb(entries, limits) {
    const total = entries.reduce((sum, { size }) => sum + size, 0);
    const shrunk = entries.some(({ size, packed }) => size > limits.small && size > limits.ratio * Math.max(packed, 1));
    const placed = [...entries].sort((first, second) => first.offset - second.offset);
    const shared = placed.some(({ offset, packed }, i) => i + 1 < placed.length && offset + packed > placed[i + 1].offset);
    return total > limits.unpacked || shrunk || shared;
}

/**
 * @param {Blob} blob
 * @param {number} start
 * @param {number} length
 * @throws {ArchiveError} where the file ends before, or can no longer be read
 */
async function read(blob, start, length) {
    const buffer = await blob
        .slice(Math.max(start, 0), start + length)
        .arrayBuffer()
        .catch(() => {
            throw new ArchiveError("gone"); // moved, changed or deleted since it was chosen
        });
    if (start < 0 || buffer.byteLength !== length) throw new ArchiveError("damaged");
    return new DataView(buffer);
}

/**
 * The zip's list of contents (4.3.12).
 * @param {Blob} zip
 * @param {typeof LIMITS} limits
 * @returns {Promise<Entry[]>}
 */
async function readDirectory(zip, limits) {
    const { end, size, offset } = await findDirectory(zip);
    if (size > limits.directory) throw new ArchiveError("bomb"); // before it fills the memory
    const start = end - size;
    const shift = start - offset; // of a zip that stands behind something else
    if (shift < 0) throw new ArchiveError("damaged");
    const view = await read(zip, start, size);
    /** @type {Entry[]} */
    const entries = [];
    try {
        for (let at = 0; at < size; ) {
            if (view.getUint32(at, true) !== 0x02014b50) throw new ArchiveError("damaged");
            const [name, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
            const entry = readEntry(view, at, name, extra);
            entries.push({ ...entry, offset: entry.offset + shift });
            at += 46 + name + extra + comment;
        }
    } catch (error) {
        if (error instanceof RangeError) throw new ArchiveError("damaged"); // read beyond the list's end
        throw error;
    }
    return entries;
}

/**
 * Where the list of contents ends, its size, and where it says to begin (4.3.14 to 4.3.16).
 * @param {Blob} zip
 */
async function findDirectory(zip) {
    const length = Math.min(zip.size, 22 + 0xffff + 20 + 56); // the record, a comment, and what large zips have before it
    const tail = await read(zip, zip.size - length, length);
    let at = length - 22;
    while (at >= 0 && (tail.getUint32(at, true) !== 0x06054b50 || at + 22 + tail.getUint16(at + 20, true) > length)) at -= 1;
    if (at < 0) throw new ArchiveError("damaged");
    const start = zip.size - length;
    if (at >= 76 && tail.getUint32(at - 20, true) === 0x07064b50) {
        if (tail.getUint32(at - 76, true) !== 0x06064b50) throw new ArchiveError("damaged");
        const [size, offset] = [40, 48].map((field) => Number(tail.getBigUint64(at - 76 + field, true)));
        return { end: start + at - 76, size, offset };
    }
    return { end: start + at, size: tail.getUint32(at + 12, true), offset: tail.getUint32(at + 16, true) };
}

/**
 * One file in the list of contents; sizes and places over 4 GB stand in an extra field (4.5.3).
 * @param {DataView} view
 * @param {number} at
 * @param {number} nameLength
 * @param {number} extraLength
 * @returns {Entry}
 */
function readEntry(view, at, nameLength, extraLength) {
    let [packed, size, offset] = [20, 24, 42].map((field) => view.getUint32(at + field, true));
    const extra = at + 46 + nameLength;
    for (let field = extra; field + 4 <= extra + extraLength; field += 4 + view.getUint16(field + 2, true)) {
        if (view.getUint16(field, true) !== 1) continue;
        let place = field + 4;
        const next = () => Number(view.getBigUint64((place += 8) - 8, true));
        if (size === 0xffffffff) size = next();
        if (packed === 0xffffffff) packed = next();
        if (offset === 0xffffffff) offset = next();
    }
    const flags = view.getUint16(at + 8, true);
    const name = decodeName(new Uint8Array(view.buffer, at + 46, nameLength));
    const [method, crc] = [view.getUint16(at + 10, true), view.getUint32(at + 16, true)];
    return { name, encrypted: (flags & 1) === 1, method, crc, packed, size, offset };
}

/**
 * A name as text: UTF-8, as nearly all write it, else as Windows writes it in Chinese.
 * @param {Uint8Array} bytes
 */
function decodeName(bytes) {
    try {
        return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
        return new TextDecoder("gb18030").decode(bytes);
    }
}

/**
 * A picture's bytes.
 * @param {Blob} zip
 * @param {Entry} entry
 */
async function unpack(zip, entry) {
    const header = await read(zip, entry.offset, 30); // 4.3.7
    if (header.getUint32(0, true) !== 0x04034b50) throw new ArchiveError("damaged");
    if (entry.packed > 1.1 * entry.size + 1024) throw new ArchiveError("damaged"); // Deflate never makes it that much larger
    const start = entry.offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    const packed = new Uint8Array((await read(zip, start, entry.packed)).buffer);
    const content = entry.method === STORED ? packed : await inflate(packed, entry.size);
    if (content.length !== entry.size || crc32(content) !== entry.crc) throw new ArchiveError("damaged");
    return new File([content], baseName(entry.name));
}

/**
 * Unpack, and stop where it becomes more than stated.
 * @param {Uint8Array<ArrayBuffer>} packed
 * @param {number} size
 */
async function inflate(packed, size) {
    let at = 0;
    const pieces = new ReadableStream({
        pull(controller) {
            controller.enqueue(packed.subarray(at, (at += PIECE)));
            if (at >= packed.length) controller.close();
        },
    });
    const reader = pieces.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    const content = new Uint8Array(size);
    for (let filled = 0; ; ) {
        const { done, value } = await reader.read().catch(() => {
            throw new ArchiveError("damaged");
        });
        if (done) return filled === size ? content : content.subarray(0, filled);
        if (filled + value.length > size) {
            reader.cancel().catch(() => {}); // it may fail for the same damage
            throw new ArchiveError("damaged");
        }
        content.set(value, filled);
        filled += value.length;
    }
}

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
});

/**
 * The checksum of zips (4.4.7).
 * @param {Uint8Array} bytes
 */
function crc32(bytes) {
    let crc = 0xffffffff;
    for (const byte of bytes) crc = CRC[(crc ^ byte) & 0xff] ^ (crc >>> 8);
    return ~crc >>> 0;
}
