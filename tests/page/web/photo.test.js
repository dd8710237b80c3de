import assert from "node:assert/strict";
import test from "node:test";

import { answerJson } from "../../../catdog/page/web/elements/answer-json.js";
import { merged, squareOf, verdictOf } from "../../../catdog/page/web/elements/closer.js";
import { labelsCsv, pathsOf, zipOf } from "../../../catdog/page/web/elements/labels.js";
import { wrapped } from "../../../catdog/page/web/elements/share-card.js";
import { Visit } from "../../../catdog/page/web/elements/visit.js";
import { unzipSync, strFromU8 } from "../../../catdog/page/web/vendor/fflate.js";

const prediction = { cat: 0.9, dog: 0.2, verdict: "cat", logits: [2, -1] };
const thresholds = { both: 0.3, neither: 0.5 };
const explanation = {
    prediction,
    evidence: { height: 2, width: 3, cat: Float32Array.of(0, 0, 0, 0, 0, 2), dog: Float32Array.of(1, 0, 0, 0, 0, 0) },
    extent: null,
    bias: [0, 0],
    view: [0, 0, 300, 200],
    boxes: { cat: null, dog: null },
    size: [300, 200],
    thresholds,
    scale: 4,
    preview: "data:image/jpeg;base64,",
};

/** A browser's history, in one entry. */
const history = (state = null) => ({
    state,
    pushed: 0,
    pushState(next) {
        this.state = next;
        this.pushed++;
    },
    replaceState(next) {
        this.state = next;
    },
});

test("an answer as JSON has the fields of /explain and neither the picture nor what the page adds", () => {
    const told = JSON.parse(answerJson({ ...explanation, finer: 1 }));
    assert.deepEqual(told.evidence, [[[0, 0, 0], [0, 0, 2]], [[1, 0, 0], [0, 0, 0]]]);
    const fields = ["prediction", "evidence", "bias", "view", "boxes", "extent", "size", "thresholds", "scale"];
    assert.deepEqual(Object.keys(told).sort(), fields.sort());
});

test("the square of a label is around its strongest place and stays within the picture", () => {
    assert.deepEqual(squareOf(explanation, "cat"), [200, 100, 300, 200]);
    assert.deepEqual(squareOf(explanation, "dog"), [0, 0, 100, 100]);
    const moved = { ...explanation, view: [100, 0, 200, 200] }; // only a part was seen
    assert.deepEqual(squareOf(moved, "dog"), [67, 0, 167, 100]);
});

test("a closer look is the mean of log-odds of the whole, its mirror image and a label's own square", () => {
    const wholes = [{ ...prediction, cat: 0.2, dog: 0.1 }, { ...prediction, cat: 0.5, dog: 0.1 }];
    const found = merged(wholes, { cat: 0.8, dog: 1 }, { cat: 1, dog: 0.1 }, thresholds);
    assert.ok(Math.abs(found.cat - 0.5) < 1e-9);
    assert.ok(Math.abs(found.dog - 0.1) < 1e-9);
    assert.equal(found.verdict, "cat");
    const sure = merged([{ ...prediction, cat: 1, dog: 0 }], { cat: 0 }, { dog: 0 }, thresholds);
    assert.ok(sure.cat > 0.4 && sure.cat < 0.6, "an answer that is quite sure leaves the others a say");
});

test("verdicts follow the thresholds as the classifier's do", () => {
    const verdict = (cat, dog) => verdictOf({ cat, dog }, thresholds);
    assert.deepEqual([verdict(0.49, 0.4), verdict(0.5, 0.29), verdict(0.5, 0.3), verdict(0.2, 0.6)], ["neither", "cat", "both", "dog"]);
});

test("corrections lie in class folders, each under a name of its own that any system takes", () => {
    const photo = (name, label, type = "image/jpeg") => ({ file: new Blob([], { type }), name, label });
    const paths = pathsOf([
        photo("IMG_1.JPG", "cat"), photo("img_1.jpg", "cat"), photo("IMG_1.JPG", "dog"), photo("pasted", "neither", "image/png"),
        photo("../../etc/passwd", "both"), photo('a<b>:"c".png', "cat"), photo("", "dog"), photo("C:\\pets\\rex.heic", "dog"),
    ]);
    assert.deepEqual(paths, [
        "cat/IMG_1.JPG", "cat/img_1-2.jpg", "dog/IMG_1.JPG", "neither/pasted.png",
        "both/passwd.jpg", "cat/a_b___c_.png", "dog/photo.jpg", "dog/rex.heic",
    ]);
});

test("labels.csv quotes what a comma would part", () => {
    assert.equal(labelsCsv([{ label: "cat" }, { label: "dog" }], ["cat/a, b.jpg", "dog/c.jpg"]), 'path,label\n"cat/a, b.jpg",cat\ndog/c.jpg,dog\n');
});

test("the zip holds the photos as they are, and their labels", async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const zip = await zipOf([{ id: "1", file: new Blob([bytes]), name: "rex.jpg", label: "dog", at: 0 }]);
    const entries = unzipSync(new Uint8Array(await zip.arrayBuffer()));
    assert.deepEqual(Object.keys(entries).sort(), ["dog/rex.jpg", "labels.csv"]);
    assert.deepEqual([...entries["dog/rex.jpg"]], [1, 2, 3]);
    assert.equal(strFromU8(entries["labels.csv"]), "path,label\ndog/rex.jpg,dog\n");
});

test("a sentence on a card is broken between words, Chinese anywhere", () => {
    const measure = (text) => text.length;
    assert.deepEqual(wrapped("Neither a cat nor a dog.", 14, measure), ["Neither a cat", "nor a dog."]);
    assert.deepEqual(wrapped("没有猫也没有狗", 4, measure), ["没有猫也", "没有狗"]);
    assert.deepEqual(wrapped("incomprehensible", 4, measure), ["incomprehensible"]);
});

test("a visit's answers are found again by the history's entries", () => {
    const browser = history();
    const visit = new Visit(browser, 1);
    assert.equal(visit.shown, undefined, "an entry that is not the visit's own");
    visit.mark(null);
    assert.equal(visit.shown, null);
    const first = visit.add({ file: new Blob(), name: "a", example: null, explanation });
    const second = visit.add({ file: new Blob(), name: "b", example: null, explanation });
    assert.notEqual(first.id, second.id);
    visit.push(first.id);
    const entry = browser.state;
    visit.push(second.id);
    assert.equal(browser.pushed, 2);
    assert.equal(visit.shown, second);
    browser.state = entry; // Back
    assert.equal(visit.shown, first);
});

test("an entry of a visit before a reload whose answer was not kept shows none", () => {
    const before = history();
    const gone = new Visit(before, 1);
    gone.push(gone.add({ file: new Blob(), name: "a", example: null, explanation }).id);
    const visit = new Visit(before, 2);
    visit.add({ file: new Blob(), name: "b", example: null, explanation });
    assert.equal(visit.shown, null);
});
