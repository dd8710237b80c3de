import assert from "node:assert/strict";
import test from "node:test";

import { bothEnds, even, evenAround, nearlyAll, small, tenAbove } from "../../../catdog/page/web/scales.js";

/** @param {number[]} values @param {number[]} expected */
function near(values, expected) {
    assert.equal(values.length, expected.length, `${values}`);
    values.forEach((value, index) => assert.ok(Math.abs(value - expected[index]) < 1e-9, `${values}`));
}

test("an even axis starts and ends where it is told to, and holds what lies outside at its ends", () => {
    const { place, ticks } = even(0.5, 1);
    near([0.5, 0.75, 1, 0.2, 1.2].map(place), [0, 0.5, 1, 0, 1]);
    near(ticks, [0.5, 0.6, 0.7, 0.8, 0.9, 1]);
});

test("an axis around rates holds their intervals and little more", () => {
    near(evenAround([{ interval: [0.54, 0.67] }, { interval: [0.97, 1] }]).ticks, [0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    near(evenAround([{ interval: [0.001, 0.021] }, { interval: [0.01, 0.026] }]).ticks, [0, 0.01, 0.02, 0.03]);
});

test("an axis around rates that are all the same has a length", () => {
    const { place, ticks } = evenAround([{ interval: [1, 1] }]);
    assert.ok(ticks.length > 1 && Number.isFinite(place(1)));
});

test("small shares and those near one each get the same space for a power of ten", () => {
    near([0, 0.001, 0.01, 0.1, 1].map(small(0.001).place), [0, 0, 1 / 3, 2 / 3, 1]);
    near(small(0.001).ticks, [0.001, 0.01, 0.1, 1]);
    near([0, 0.9, 0.99, 0.999, 1].map(nearlyAll(0.001).place), [0, 1 / 3, 2 / 3, 1, 1]);
    near(nearlyAll(0.001).ticks, [0, 0.9, 0.99, 0.999]);
    near([0.8, 0.9, 0.99, 1].map(nearlyAll(0.01, 0.1).place), [0, 0, 1, 1]);
});

test("an axis with room at both ends is even in log-odds and finite at none and all", () => {
    const { place, ticks } = bothEnds(0.002);
    near([0, 0.002, 0.5, 0.998, 1].map(place), [0, 0, 0.5, 1, 1]);
    near([place(0.1) + place(0.9)], [1]);
    near(ticks, [0.01, 0.1, 0.5, 0.9, 0.99]);
});

test("a short axis of powers of ten has numbers between them", () => {
    near(nearlyAll(0.01, 0.1).ticks, [0.9, 0.95, 0.98, 0.99]);
    near([0.3, 0.1, 0.065, 0.01].map(tenAbove), [1, 0.1, 0.1, 0.01]);
});

test("what grows stays in its order on every axis", () => {
    const shares = Array.from({ length: 101 }, (_, index) => index / 100);
    for (const { place } of [even(0, 1), small(0.01), nearlyAll(0.01), bothEnds(0.01)]) {
        const places = shares.map(place);
        assert.deepEqual(places, places.toSorted((one, other) => one - other));
    }
});
