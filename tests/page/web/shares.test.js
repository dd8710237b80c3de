import assert from "node:assert/strict";
import test from "node:test";

import { plainShare, worstFirst } from "../../../catdog/page/web/shares.js";

/** @param {number} k @param {number} n @param {[number, number]} interval */
const rate = (k, n, interval) => ({ k, n, value: k / n, interval });

test("a narrow interval is counted in hundredths, wider ones in twentieths and tenths", () => {
    assert.deepEqual(plainShare(rate(992, 1023, [0.957, 0.979])), { code: "count", right: 97, of: 100 });
    assert.deepEqual(plainShare(rate(187, 200, [0.892, 0.962])), { code: "count", right: 19, of: 20 });
    assert.deepEqual(plainShare(rate(24, 30, [0.627, 0.905])), { code: "count", right: 8, of: 10 });
});

test("where the interval tells nothing apart, the photos themselves are counted", () => {
    assert.deepEqual(plainShare(rate(4, 7, [0.25, 0.842])), { code: "few", right: 4, of: 7 });
});

test("what is rounded to all or to none is not said to be", () => {
    assert.equal(plainShare(rate(999, 1000, [0.994, 0.9998])).code, "all");
    assert.equal(plainShare(rate(1, 1000, [0.0002, 0.006])).code, "none");
});

test("the worst come first, those of few photos last", () => {
    const few = rate(1, 4, [0.05, 0.7]), good = rate(95, 100, [0.89, 0.98]), bad = rate(60, 100, [0.5, 0.7]);
    const rates = [few, good, bad];
    assert.deepEqual(worstFirst(rates, 30), [bad, good, few]);
    assert.deepEqual(rates, [few, good, bad]);
});
