// How large a camera's frames are answered.
import assert from "node:assert/strict";
import test from "node:test";
import { Pace } from "../../../catdog/page/web/engine/device/pace.js";

/** @param {(size: number) => number} took ms for a frame of a size */
function settled(took, frames = 10) {
    const pace = new Pace();
    for (let frame = 0; frame < frames; frame++) pace.add(pace.size, took(pace.size));
    return pace.size;
}

test("a quick device answers the largest frames", () => {
    assert.equal(settled(() => 30), 224);
});

test("a slower one answers the largest that it keeps up with", () => {
    assert.equal(settled((size) => size / 3), 160);
});

test("the slowest answers the smallest", () => {
    assert.equal(settled(() => 1000), 128);
});

test("one late frame, such as the first, decides nothing", () => {
    let frame = 0;
    assert.equal(settled(() => (frame++ ? 40 : 900)), 224);
});

test("a frame that was asked for at another size is not counted", () => {
    const pace = new Pace();
    for (let frame = 0; frame < 9; frame++) pace.add(320, 1000);
    assert.equal(pace.size, 224);
});

test("once it is settled, a slow moment changes nothing", () => {
    const pace = new Pace();
    for (let frame = 0; frame < 3; frame++) pace.add(pace.size, 40);
    for (let frame = 0; frame < 30; frame++) pace.add(pace.size, 500);
    assert.equal(pace.size, 224);
});
