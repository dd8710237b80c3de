/** Signatures as text, as files and the server have them. */

/**
 * A signature from its text: 32-bit numbers, little-endian, in base64.
 * @param {string} text
 */
export function decoded(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return Float32Array.from({ length: bytes.length / 4 }, (_, place) => view.getFloat32(4 * place, true));
}

/** @param {Float32Array} signature */
export function encoded(signature) {
    const view = new DataView(new ArrayBuffer(4 * signature.length));
    signature.forEach((value, place) => view.setFloat32(4 * place, value, true));
    return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}
