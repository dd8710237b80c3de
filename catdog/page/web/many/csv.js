// The table to download, with the columns and rows that predict.py writes (catdog/batch/rows.py).

import { kindOf } from "./order.js";

const COLUMNS = ["path", "verdict", "cat", "dog", "error"];
const FORMULA = /^[=+\-@\t\r]/;

/**
 * A probability as Python writes it, digit for digit.
 * @param {number} value
 */
export function number(value) {
    const [digits, exponent] = value.toExponential().split("e");
    if (value !== 0 && Number(exponent) < -4) return `${digits}e-${exponent.slice(1).padStart(2, "0")}`;
    return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/**
 * A file's name with a quote before what a spreadsheet would compute.
 * @param {string} name
 */
const plain = (name) => (FORMULA.test(name) ? `'${name}` : name);

/** @param {string} field */
const quoted = (field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);

/**
 * The table of all photos that are done, with the mark by which spreadsheets take it for UTF-8.
 * @param {import("./photos.js").Photo[]} photos
 * @param {(code: string) => string} say puts a problem's code into words
 * @param {((photo: import("./photos.js").Photo) => string | null) | null} [petOf] the name of the visitor's pet in a photo, where
 *   there are any: then in a column of its own, as `catdog pets find` writes it
 */
export function tableOf(photos, say, petOf = null) {
    const rows = photos.map((photo) => {
        const pet = petOf ? [plain(petOf(photo) ?? "")] : [];
        if (!photo.prediction) return [plain(photo.path), "", "", "", say(photo.problem ?? ""), ...pet];
        const { cat, dog } = photo.prediction;
        return [plain(photo.path), kindOf(photo), number(cat), number(dog), "", ...pet];
    });
    return "\ufeff" + [petOf ? [...COLUMNS, "pet"] : COLUMNS, ...rows].map((row) => row.map(quoted).join(",") + "\r\n").join("");
}
