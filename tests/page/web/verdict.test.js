// Words that carry their doubt: over a grid of probabilities, for several thresholds, in both languages.
import assert from "node:assert/strict";
import { test } from "node:test";

import { describe, percent, sentenceCode, ticks } from "../../../catdog/page/web/verdict.js";
import { explanation, languages } from "./explanation.js";

const THRESHOLDS = [
    { neither: 0.51, both: 0.29 },
    { neither: 0.3, both: 0.6 },
    { neither: 0.85, both: 0.1 },
    { neither: 0.5, both: 1.01 }, // a network that chooses one never says both
];
const GRID = Array.from({ length: 101 }, (_, n) => n / 100);
const PAIRS = GRID.flatMap((cat) => GRID.map((dog) => [cat, dog]));
const NAMED = { cat: [true, false], dog: [false, true], both: [true, true] };
const ANIMALS = { en: [/\bcat\b/, /\bdog\b/], zh: [/猫/, /狗/] };

// As catdog/decision.py decides.
const decided = (cat, dog, { neither, both }) => {
    const verdict =
        Math.max(cat, dog) < neither ? "neither" : Math.min(cat, dog) >= both ? "both" : cat >= dog ? "cat" : "dog";
    return { cat, dog, verdict, logits: [0, 0] };
};

const everywhere = (check) => {
    for (const thresholds of THRESHOLDS) {
        for (const [cat, dog] of PAIRS) check(decided(cat, dog, thresholds), thresholds);
    }
};

for (const [language, t] of Object.entries(languages)) {
    test(`a sentence names the animals that the verdict names, and no other: ${language}`, () => {
        everywhere((prediction) => {
            if (prediction.verdict === "neither") return;
            const sentence = t(sentenceCode(prediction));
            const named = ANIMALS[language].map((animal) => animal.test(sentence));
            assert.deepEqual(named, NAMED[prediction.verdict], `${JSON.stringify(prediction)}: ${sentence}`);
        });
    });

    test(`of neither it says so, or that it is not sure and of what: ${language}`, () => {
        const [neither, cat, dog] = ["says-neither", "says-something-cat", "says-something-dog"].map((code) => t(`verdict.${code}`));
        everywhere((prediction) => {
            if (prediction.verdict !== "neither") return;
            const likelier = prediction.cat >= prediction.dog ? cat : dog;
            const sure = Math.max(prediction.cat, prediction.dog) < 0.2;
            assert.equal(t(sentenceCode(prediction)), sure ? neither : likelier);
        });
    });
}

test("the sentences of the shipped thresholds", () => {
    const says = (cat, dog) => languages.en(sentenceCode(decided(cat, dog, THRESHOLDS[0])));
    assert.equal(says(0.01, 0.97), "A dog.");
    assert.equal(says(0.8, 0.1), "Probably a cat.");
    assert.equal(says(0.1, 0.6), "Perhaps a dog, not sure.");
    assert.equal(says(0.35, 0.99), "A dog, perhaps a cat too.");
    assert.equal(says(0.75, 0.35), "Probably a cat, perhaps a dog too.");
    assert.equal(says(0.95, 0.93), "A cat and a dog.");
    assert.equal(says(0.95, 0.8), "Probably a cat and a dog.");
    assert.equal(says(0.6, 0.5), "Perhaps a cat and a dog, not sure.");
    assert.equal(says(0.02, 0.05), "Neither a cat nor a dog.");
    assert.equal(says(0.4, 0.05), "Not sure: something like a cat.");
});

test("a larger probability never sounds less sure", () => {
    const doubt = { unsure: 0, likely: 1, sure: 2 };
    const rank = (code) => doubt[code.split("-").at(-1)];
    for (const thresholds of THRESHOLDS) {
        let last = 0;
        for (const dog of GRID) {
            const prediction = decided(0, dog, thresholds);
            if (prediction.verdict !== "dog") continue;
            const now = rank(sentenceCode(prediction));
            assert.ok(now >= last, `${dog}`);
            last = now;
        }
        assert.equal(last, 2);
    }
});

test("a bar reaches its tick where the verdict names its label, and nowhere else", () => {
    everywhere((prediction, thresholds) => {
        const tick = ticks(prediction, thresholds);
        const reached = [prediction.cat >= tick.cat, prediction.dog >= tick.dog];
        assert.deepEqual(reached, NAMED[prediction.verdict] ?? [false, false], JSON.stringify(prediction));
    });
});

test("equal probabilities of a rounded answer keep the tick with the verdict", () => {
    const prediction = { cat: 0.6, dog: 0.6, verdict: "dog", logits: [0, 0] };
    assert.deepEqual(ticks(prediction, { neither: 0.51, both: 0.7 }), { cat: 0.7, dog: 0.51 });
});

test("percentages are rounded towards doubt and are never 0% or 100%", () => {
    const expected = { 1: ">99%", 0.995: ">99%", 0.99: "99%", 0.978: "97%", 0.57: "57%", 0.123: "13%", 0.01: "1%", 0.004: "<1%", 0: "<1%" };
    for (const [probability, shown] of Object.entries(expected)) assert.equal(percent(Number(probability)), shown, probability);
});

test("an answer is described with its verdict, both percentages and where the pet is", () => {
    const shown = explanation({
        prediction: { cat: 0.03, dog: 0.996, verdict: "dog", logits: [-3, 5] },
        boxes: { cat: null, dog: [10, 10, 300, 200] },
        size: [1000, 800],
    });
    assert.equal(describe(shown, languages.en), "A dog. Cat 3%, dog >99%. The dog is in the upper left.");
    assert.equal(describe(shown, languages.zh), "是狗。 猫 3%，狗 >99%。 狗在左上方。");
});

test("a pet without a box is where its evidence is strongest; one that fills the photo is all over it", () => {
    const at = (boxes, cat) => {
        const prediction = { cat: 0.96, dog: 0.02, verdict: "cat", logits: [3, -3] };
        return describe(explanation({ prediction, boxes: { cat: boxes, dog: null }, size: [300, 300], cat }), languages.en);
    };
    assert.match(at(null, [[0, 0, 0], [0, 0, 0], [0, 0, 9]]), /in the lower right/);
    assert.match(at([0, 0, 290, 300]), /fills most of the photo/);
});
