// The page's words: both languages, every code, and how the visitor's language is chosen.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { preferred, t } from "../../../catdog/page/web/words.js";

const web = new URL("../../../catdog/page/web/", import.meta.url);
const read = (path) => readFileSync(new URL(path, web), "utf8");
const [english, chinese] = ["en", "zh"].map((language) => JSON.parse(read(`words/${language}.json`)));
const source = readdirSync(web, { recursive: true })
    .filter((path) => path.endsWith(".js") && !path.startsWith("vendor"))
    .map(read)
    .join("\n");
const groups = [...new Set(Object.keys(english).map((code) => code.split(".")[0]))].join("|");
const literal = new RegExp(`["'\`]((?:${groups})\\.(?!(?:js|json|css|html|jpg|webp|png|zip|csv)\\b)[a-z0-9-]+)["'\`]`, "g");
const begun = new RegExp(`\`((?:${groups})\\.[a-z0-9-]*)\\$\\{`, "g"); // the rest is known when it runs
const matches = (pattern) => [...new Set([...source.matchAll(pattern)].map((match) => match[1]))];
const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

test("both languages have the same codes, in the same order", () => {
    assert.deepEqual(Object.keys(chinese), Object.keys(english));
});

test("no code stands twice in a file", () => {
    for (const [language, words] of [["en", english], ["zh", chinese]]) {
        const lines = [...read(`words/${language}.json`).matchAll(/^ {2}"([^"]+)":/gm)].map((match) => match[1]);
        assert.deepEqual(lines, Object.keys(words), language);
    }
});

test("both languages of a sentence have the same places to fill", () => {
    for (const code of Object.keys(english)) {
        assert.deepEqual([...new Set(places(chinese[code]))], [...new Set(places(english[code]))], code);
    }
});

test("Chinese is Chinese and English is English", () => {
    const spoken = (text) => text.replace(/\{\w+\}|catdog/g, "");
    for (const code of Object.keys(english).filter((code) => code !== "words.other-language")) {
        if (/\p{L}{2}/u.test(spoken(chinese[code]))) assert.match(chinese[code], /\p{Script=Han}/u, code);
        assert.doesNotMatch(english[code], /\p{Script=Han}/u, code);
    }
});

test("every code that the page uses has words", () => {
    assert.deepEqual(matches(literal).filter((code) => !(code in english)), []);
    const stems = matches(begun).filter((stem) => !Object.keys(english).some((code) => code.startsWith(stem)));
    assert.deepEqual(stems, []);
});

test("no words are unused", () => {
    const ofOne = matches(/numbered\("([a-z.-]+)"/g).map((code) => `${code}-one`);
    const used = new Set([...matches(literal), ...ofOne]);
    const stems = matches(begun);
    const unused = Object.keys(english).filter((code) => !used.has(code) && !stems.some((stem) => code.startsWith(stem)));
    assert.deepEqual(unused, []);
});

test("a code is its own words until a language is loaded", () => {
    assert.equal(t("photo.choose", { megabytes: 50 }), "photo.choose");
});

test("the language is the one chosen before, then the first that the visitor reads", () => {
    assert.equal(preferred(null, ["fr-FR", "zh-TW", "en"]), "zh");
    assert.equal(preferred(null, ["en-GB", "zh"]), "en");
    assert.equal(preferred("en", ["zh-CN"]), "en");
    assert.equal(preferred("tlh", ["de"]), "en");
    assert.equal(preferred(null, []), "en");
});
