// Evidence as colors and words.
import assert from "node:assert/strict";
import { test } from "node:test";

import { PAIRS, colored, here, onColor, placeAt, shareAt, sharesOf, smooth, totals } from "../../../catdog/page/web/evidence.js";
import { explanation, languages } from "./explanation.js";

const maps = (cat, dog = cat.map((row) => row.map(() => 0))) => explanation({ cat, dog }).evidence;
const random = (() => {
    let state = 1;
    return () => (state = (state * 48271) % 2147483647) / 2147483647;
})();
const grid = (height, width) => Array.from({ length: height }, () => Array.from({ length: width }, () => random() ** 4));

test("what is shown is what was given: every number, and the sums", () => {
    const cat = grid(7, 9).map((row) => row.map((value) => Math.fround(value - 0.1)));
    const shown = explanation({ cat });
    assert.deepEqual([...shown.evidence.cat], cat.flat());
    assert.equal(totals(shown.evidence).cat, cat.flat().reduce((a, b) => a + b, 0));
    assert.equal(totals(shown.evidence).dog, -totals(shown.evidence).cat);
});

test("a place's share is its evidence times the number of places, of the scale", () => {
    const shown = explanation({ cat: [[1, 0], [0, -1]], scale: 10 });
    assert.deepEqual([...sharesOf(shown.evidence, 10, "both").cat], [0.4, 0, 0, 0].map(Math.fround));
    assert.deepEqual(shareAt(shown, { row: 1, column: 1 }), { cat: -0.4, dog: 0.4 });
});

test("of one label only its own is shown, of the difference what is left, of the photo nothing", () => {
    const evidence = maps([[3, 1]], [[1, 2]]);
    const shown = (show) => {
        const { cat, dog } = sharesOf(evidence, 2, show);
        return [[...cat], [...dog]];
    };
    assert.deepEqual(shown("both"), [[3, 1], [1, 2]]);
    assert.deepEqual(shown("cat"), [[3, 1], [0, 0]]);
    assert.deepEqual(shown("dog"), [[0, 0], [1, 2]]);
    assert.deepEqual(shown("difference"), [[2, 0], [0, 1]]);
    assert.deepEqual(shown("photo"), [[0, 0], [0, 0]]);
});

test("no point of the smooth map has more or less than the places around it", () => {
    for (const [height, width, times] of [[7, 7, 16], [5, 14, 8], [1, 1, 4], [28, 28, 8]]) {
        const map = grid(height, width);
        const fine = smooth(maps(map), times);
        assert.deepEqual([fine.height, fine.width], [height * times, width * times]);
        fine.cat.forEach((value, index) => {
            const y = (Math.floor(index / fine.width) + 0.5) / times, x = ((index % fine.width) + 0.5) / times;
            const near = map.flatMap((row, r) => row.filter((_, c) => Math.abs(r + 0.5 - y) < 2.5 && Math.abs(c + 0.5 - x) < 2.5));
            assert.ok(value <= Math.max(...near) + 1e-6 && value >= Math.min(...near) - 1e-6);
        });
    }
});

test("the smooth map passes through the places, is even where they are, and turns with them", () => {
    const map = grid(5, 6);
    const fine = smooth(maps(map), 9); // odd: a pixel stands in the middle of each place
    for (const [row, values] of map.entries()) {
        for (const [column, value] of values.entries()) {
            assert.ok(Math.abs(fine.cat[(9 * row + 4) * fine.width + 9 * column + 4] - value) < 1e-6);
        }
    }
    assert.ok(smooth(maps([[0.5, 0.5], [0.5, 0.5]]), 8).cat.every((value) => value === 0.5));
    const turned = smooth(maps(map.map((row) => [...row].reverse()).reverse()), 9).cat;
    fine.cat.forEach((value, index) => assert.ok(Math.abs(turned[turned.length - 1 - index] - value) < 1e-6));
});

test("the smooth map has no corners: halfway between two places it is their mean", () => {
    const fine = smooth(maps([[0, 0, 1, 1]]), 8).cat;
    assert.ok(Math.abs((fine[15] + fine[16]) / 2 - 0.5) < 1e-6);
    assert.ok(fine[13] < 0.25, "flatter near the places than a straight line");
});

test("opacity is the larger share's, the color is mixed by both, and nothing is stretched", () => {
    const [pair] = PAIRS;
    const pixel = (cat, dog) => [...colored(maps([[cat]], [[dog]]), pair)];
    assert.deepEqual(pixel(1, 0), [...pair.cat, 255]);
    assert.deepEqual(pixel(0, 0.2), [...pair.dog, 51]);
    assert.deepEqual(pixel(0, 0), [0, 0, 0, 0]);
    assert.deepEqual(pixel(3, 0), [...pair.cat, 255]);
    assert.deepEqual(pixel(0.4, 0.4), [...pair.cat.map((value, n) => (value + pair.dog[n]) / 2), 102]);
});

test("a name is read on every color", () => {
    const light = ([r, g, b]) => [r, g, b].map((value) => (value / 255) ** 2.2).reduce((sum, value, n) => sum + [0.2126, 0.7152, 0.0722][n] * value, 0);
    for (const { cat, dog } of PAIRS) {
        for (const color of [cat, dog]) {
            const [low, high] = [light(color), onColor(color) === "white" ? 1 : 0].sort((a, b) => a - b);
            assert.ok((high + 0.05) / (low + 0.05) >= 4.5, color.join());
        }
    }
});

test("a point of the picture is in a place of the part that was seen, or in none", () => {
    const cropped = explanation({ cat: grid(7, 7), size: [1000, 600], view: [250, 50, 750, 550] });
    assert.deepEqual(placeAt(cropped, 250, 50), { row: 0, column: 0 });
    assert.deepEqual(placeAt(cropped, 500, 480), { row: 6, column: 3 });
    assert.deepEqual(placeAt(cropped, 749.9, 549.9), { row: 6, column: 6 });
    for (const [x, y] of [[249, 300], [750, 300], [500, 49], [500, 550]]) assert.equal(placeAt(cropped, x, y), null);
});

test("a place in words, most first", () => {
    const says = (language, cat, dog) => here({ cat, dog }, languages[language]);
    assert.equal(says("en", 0, 0.7), "Here: very dog-like");
    assert.equal(says("en", 0.2, 0.7), "Here: very dog-like, a little cat-like");
    assert.equal(says("en", 0.3, -0.4), "Here: a little cat-like, not dog-like");
    assert.equal(says("en", 0.05, -0.4), "Nothing cat- or dog-like here");
    assert.equal(says("zh", -0.3, 0.7), "这里：很像狗，不像猫");
    assert.equal(says("zh", 0, 0), "这里不像猫，也不像狗");
});
