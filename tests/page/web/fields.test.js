// What a place sees: its square of the input, and the places before and after it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { pathTo, seenBy } from "../../../catdog/page/web/elements/fields.js";

const stem = { stride: 4, field: 11, height: 64, width: 96 };
const second = { stride: 8, field: 99, height: 32, width: 48 };
const last = { stride: 32, field: 435, height: 8, width: 12 };

test("a place sees a square around its own first pixel", () => {
    assert.deepEqual(seenBy(second, { row: 16, column: 20 }), { top: 79, left: 111, bottom: 178, right: 210 });
});

test("what of it lies outside is left out", () => {
    assert.deepEqual(seenBy(second, { row: 0, column: 47 }), { top: 0, left: 327, bottom: 50, right: 384 });
    assert.deepEqual(seenBy(last, { row: 4, column: 6 }), { top: 0, left: 0, bottom: 256, right: 384 });
});

test("its own layer has the place alone", () => {
    assert.deepEqual(pathTo(second, { row: 3, column: 5 }, second), { top: 3, left: 5, bottom: 4, right: 6 });
});

test("a place made from others is among those that they help to make", () => {
    for (const [early, late] of [[stem, second], [second, last], [stem, last]]) {
        for (let row = 0; row < late.height; row += 3) {
            const from = pathTo(late, { row, column: 2 }, early);
            for (const at of [from.top, from.bottom - 1]) {
                const to = pathTo(early, { row: at, column: 8 }, late);
                assert.ok(to.top <= row && row < to.bottom, `${row} from ${at}`);
            }
            if (from.top > 0) assert.ok(!has(pathTo(early, { row: from.top - 1, column: 8 }, late), row));
            if (from.bottom < early.height) assert.ok(!has(pathTo(early, { row: from.bottom, column: 8 }, late), row));
        }
    }
});

const has = ({ top, bottom }, row) => top <= row && row < bottom;
