/** HEIC photos, where the browser cannot read them: by libheif, which is fetched with the first such photo. */
import { EngineError } from "../types.js";

const BRANDS = /^....ftyp(hei[cxms]|hev[cxms]|mif1|msf1)/s;
const HEAD = 65_536; // bytes, where the colors are told
const WIDE = /Display P3|D\0i\0s\0p\0l\0a\0y\0 \0P\x003|colrnclx\0\x0c/; // an ICC profile's name, or a number for it

/** @type {Promise<any> | null} */
let decoder = null;

/** @param {string} head of a file, a character a byte */
export function isHeic(head) {
    return BRANDS.test(head);
}

/**
 * @param {Blob} file
 * @param {string} address of libheif
 * @param {number} pixels at most
 * @returns {Promise<ImageBitmap>} upright
 * @throws {EngineError}
 */
export async function openHeic(file, address, pixels) {
    const libheif = await fetchDecoder(address);
    const content = new Uint8Array(await file.arrayBuffer());
    /** @type {any[]} */
    const images = new libheif.HeifDecoder().decode(content);
    try {
        const image = images.find((each) => each.is_primary()) ?? images[0];
        if (!image) throw new EngineError("damaged");
        const width = image.get_width(), height = image.get_height();
        if (width * height > pixels) throw new EngineError("too-large");
        const wide = WIDE.test(new TextDecoder("latin1").decode(content.subarray(0, HEAD)));
        const empty = new ImageData(width, height, { colorSpace: wide ? "display-p3" : "srgb" });
        const drawn = await new Promise((resolve) => image.display(empty, resolve));
        if (!drawn) throw new EngineError("damaged");
        return await createImageBitmap(drawn);
    } finally {
        for (const each of images) each.free();
    }
}

/** @param {string} address */
function fetchDecoder(address) {
    decoder ??= import(address)
        .then((module) => module.default())
        .catch(() => {
            decoder = null; // the next photo tries again
            throw new EngineError("offline");
        });
    return decoder;
}
