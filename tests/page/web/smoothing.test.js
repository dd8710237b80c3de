import assert from "node:assert/strict";
import test from "node:test";

import { Glide, Steady } from "../../../catdog/page/web/elements/smoothing.js";

const answer = (cat, dog, places = 4) => ({
    prediction: { cat, dog, verdict: cat >= dog ? "cat" : "dog", logits: [0, 0] },
    evidence: { height: 2, width: places / 2, cat: new Float32Array(places).fill(cat), dog: new Float32Array(places).fill(dog) },
    extent: null,
    bias: [0, 0],
    view: [0, 0, 320, 240],
    boxes: { cat: null, dog: null },
    size: [320, 240],
    thresholds: { both: 0.5, neither: 0.5 },
    scale: 4,
    preview: null,
});

/** What is shown after each of some steps, `every` ms apart. */
const steps = (glide, times, every, from = 0) =>
    Array.from({ length: times }, (_, step) => glide.step(from + every * (step + 1)));

test("nothing is shown before the first answer, which is shown at once", () => {
    const glide = new Glide();
    assert.equal(glide.step(0), null);
    glide.aim(answer(1, 0));
    assert.equal(glide.step(1).prediction.cat, 1);
});

test("bars and map glide to a new answer together and arrive at it", () => {
    const glide = new Glide();
    glide.aim(answer(1, 0));
    glide.step(0);
    const last = answer(0, 1);
    glide.aim(last);
    const shown = steps(glide, 40, 80);
    const cats = shown.map(({ prediction }) => prediction.cat);
    assert.deepEqual(cats, [...cats].sort((a, b) => b - a), "without going back");
    for (const { prediction, evidence } of shown) {
        for (const share of evidence.cat) assert.ok(Math.abs(share - prediction.cat) < 0.01);
    }
    assert.ok(cats[2] > 0.2 && cats[2] < 0.5, "two thirds of the way after a quarter of a second");
    assert.equal(shown.at(-1), last, "what has arrived is the answer itself, so that nothing is drawn anew");
});

test("the pace of the steps does not change the way", () => {
    const after = (every) => {
        const glide = new Glide();
        glide.aim(answer(1, 0));
        glide.step(0);
        glide.aim(answer(0, 1));
        return steps(glide, 240 / every, every).at(-1).prediction.cat;
    };
    assert.ok(Math.abs(after(20) - after(80)) < 1e-9);
});

test("one contrary answer among many moves the bars a little only", () => {
    const glide = new Glide();
    glide.aim(answer(1, 0));
    glide.step(0);
    glide.aim(answer(0, 1));
    glide.step(60);
    glide.aim(answer(1, 0));
    const cats = steps(glide, 10, 60, 60).map(({ prediction }) => prediction.cat);
    assert.ok(Math.min(...cats) > 0.75);
});

test("a map of another shape, as after the phone is turned, is shown at once", () => {
    const glide = new Glide();
    glide.aim(answer(1, 0));
    glide.step(0);
    const turned = answer(0.5, 0, 8);
    glide.aim(turned);
    assert.equal(glide.step(10), turned);
});

test("what was shown is forgotten, and the next answer shown at once", () => {
    const glide = new Glide();
    glide.aim(answer(1, 0));
    glide.step(0);
    glide.forget();
    assert.equal(glide.step(10), null);
    glide.aim(answer(0, 1));
    assert.equal(glide.step(20).prediction.dog, 1);
});

/** The words shown at every step, of those that were right then. */
const spoken = (right, every = 50) => {
    const steady = new Steady();
    return right.map((words, step) => steady.next(words, 10_000 + every * step));
};
const changes = (words) => words.filter((each, place) => place > 0 && each !== words[place - 1]).length;

test("the first words are shown at once, and others once they have lasted", () => {
    const shown = spoken([...Array(40).fill("cat"), ...Array(40).fill("dog")]);
    assert.equal(shown[0], "cat");
    const turn = 50 * (shown.indexOf("dog") - 40);
    assert.ok(turn >= 300 && turn <= 500, `${turn} ms`);
    assert.equal(changes(shown), 1);
});

test("words that are right for a moment are never shown", () => {
    const right = Array.from({ length: 100 }, (_, step) => (step % 10 < 4 ? "dog" : "cat"));
    assert.deepEqual(new Set(spoken(["cat", ...right])), new Set(["cat"]));
});

test("a camera that is nothing but noise changes the words at most once a second", () => {
    const all = ["cat", "dog", "both", "neither", "perhaps a cat"];
    let state = 7;
    const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
    for (const stay of [1, 4, 9, 25]) {
        const right = Array.from({ length: 2000 }, () => "");
        for (let step = 0; step < right.length; step += stay) right.fill(all[Math.floor(random() * 5)], step, step + stay);
        const shown = spoken(right);
        const times = shown.flatMap((each, step) => (step && each !== shown[step - 1] ? [50 * step] : []));
        assert.ok(times.length > 5, "they do change");
        for (const [place, time] of times.slice(1).entries()) assert.ok(time - times[place] >= 1000);
    }
});

test("words that are wrong for a second give way, even where no others last", () => {
    const right = [...Array(40).fill("cat"), ...Array.from({ length: 40 }, (_, step) => (step % 2 ? "dog" : "both"))];
    const shown = spoken(right);
    assert.notEqual(shown.at(-1), "cat");
});
