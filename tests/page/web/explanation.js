// Made-up answers of an engine, and the words of both languages.
import { readFileSync } from "node:fs";

import { explanationOf } from "../../../catdog/page/web/engine/server.js";

const words = (language) => {
    const path = new URL(`../../../catdog/page/web/words/${language}.json`, import.meta.url);
    const codes = JSON.parse(readFileSync(path, "utf8"));
    return (code, values = {}) => {
        if (!(code in codes)) throw new Error(`${language} has no words for ${code}.`);
        return codes[code].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
    };
};
export const languages = { en: words("en"), zh: words("zh") };

export const explanation = ({ cat = [[1, 0], [0, -1]], dog = cat.map((row) => row.map((value) => -value)), ...given } = {}) => {
    const [height, width] = [cat.length, cat[0].length];
    const size = given.size ?? [100 * width, 100 * height];
    return explanationOf({
        prediction: { cat: 0.9, dog: 0.1, verdict: "cat", logits: [2, -2] },
        evidence: [cat, dog],
        bias: [0.5, -0.5],
        view: [0, 0, ...size],
        boxes: { cat: null, dog: null },
        size,
        thresholds: { neither: 0.51, both: 0.29 },
        scale: 10,
        ...given,
    });
};
