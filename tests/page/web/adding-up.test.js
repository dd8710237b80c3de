// The tour's numbers: what is shown adds up, to the last digit, and stays near what is exact.
import assert from "node:assert/strict";
import { test } from "node:test";

import { roundedTogether, stepsOf } from "../../../catdog/page/web/elements/adding-up.js";

const PLACES = 70;
const wave = (shift, height) => Float32Array.from({ length: PLACES }, (_, place) => height * Math.sin(place / 5 + shift) ** 3 + 0.0137);
const explanation = { evidence: { height: 7, width: 10, cat: wave(0, 0.31), dog: wave(2, 0.2) }, bias: [-0.4321, 0.2] };
const calibration = { head: "sigmoid", temperature: [1.834, 1.2], offset: [-0.777, 0.3], top_weight: [0.61, 0.2], present: 0.5, both: 0.4, box_threshold: 0.1 };
const hundredths = (value) => Math.round(100 * value);
const sum = (values) => values.reduce((total, value) => total + value, 0);

test("what is shown adds up to the last digit", () => {
    for (const label of ["cat", "dog"]) {
        for (const left of [new Set(), new Set([3, 4, 40])]) {
            const steps = stepsOf(explanation, label, calibration, left);
            assert.equal(sum(steps.places.map(hundredths)), hundredths(steps.sum));
            assert.equal(hundredths(steps.sum) + hundredths(steps.bias), hundredths(steps.logit));
            assert.equal(hundredths((steps.logit + steps.top) / steps.temperature + steps.offset), hundredths(steps.score));
            for (const place of left) assert.equal(steps.places[place], 0);
        }
    }
});

test("and is near what is exact", () => {
    const steps = stepsOf(explanation, "cat", calibration, new Set());
    steps.places.forEach((value, place) => assert.ok(Math.abs(value - explanation.evidence.cat[place]) < 0.01));
    assert.ok(Math.abs(steps.logit - (sum([...explanation.evidence.cat]) - 0.4321)) <= 0.005001);
    assert.ok(Math.abs(1 / (1 + Math.exp(-steps.score)) - steps.probability) < 0.01);
});

test("numbers that are no hundredths are rounded together", () => {
    assert.deepEqual(roundedTogether(Float32Array.of(0.004, 0.003, 0.003, 0.001), 0.011), [0.01, 0, 0, 0]);
    assert.deepEqual(roundedTogether(Float32Array.of(1, -2), -1), [1, -2]);
});
