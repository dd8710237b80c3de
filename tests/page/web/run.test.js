// A run over many photos, and the engine's part of it: what is answered when, and what is waited for.
import assert from "node:assert/strict";
import { test } from "node:test";

import { answerMany } from "../../../catdog/page/web/engine/many.js";
import { EngineError } from "../../../catdog/page/web/engine/types.js";
import { Run } from "../../../catdog/page/web/many/run.js";

const ANSWER = { prediction: { cat: 1, dog: 0, verdict: "cat", logits: [1, -1] }, size: [4, 3] };
const photo = (key, bytes = 1, open = async () => new File([key], key)) => ({
    ...{ path: key, key, name: key, bytes, open },
    ...{ prediction: null, size: null, problem: null, thumbnail: undefined },
});

/** An engine whose answers a test gives one by one. */
function engine() {
    const asked = [];
    return {
        asked,
        many: (files, onAnswer, options) =>
            answerMany(files, async (file) => {
                const name = await file.text();
                return new Promise((resolve, reject) => {
                    asked.push({ name, answer: () => resolve(ANSWER), fail: (code) => reject(new EngineError(code)) });
                });
            }, onAnswer, { ...options, pause: async () => {} }),
    };
}

/** Waits until something is so; each step lets whatever is ready go on. */
async function until(condition) {
    for (let step = 0; step < 1000; step++) {
        if (condition()) return;
        await new Promise((resolve) => setTimeout(resolve));
    }
    assert.fail(`never so: ${condition}`);
}
const names = (photos) => photos.map(({ key }) => key);

/** A run of photos of these names. */
function running(...keys) {
    const asks = engine();
    const run = new Run(asks, () => {});
    run.add(keys.map((key) => photo(key)), 50);
    return { run, asked: asks.asked };
}

test("a few are asked about at a time, and the run is done with the last", async () => {
    const { run, asked } = running("a", "b", "c", "d", "e");
    await until(() => asked.length === 3);
    assert.equal(run.state, "running");
    for (let answered = 0; answered < 5; answered++) {
        await until(() => asked.length > answered);
        asked[answered].answer();
        await until(() => run.done.length === answered + 1);
    }
    await until(() => run.state === "done");
    assert.deepEqual(run.photos[4].size, [4, 3]);
});

test("photos added while others are answered are answered too", async () => {
    const { run, asked } = running("a");
    await until(() => asked.length === 1);
    run.add([photo("b")], 50);
    asked[0].answer();
    await until(() => asked.length === 2);
    assert.equal(asked[1].name, "b");
    assert.equal(run.state, "running");
    asked[1].answer();
    await until(() => run.state === "done");
});

test("a photo handed over again is answered anew in its place", async () => {
    const { run, asked } = running("a", "b");
    await until(() => asked.length === 2);
    asked.forEach(({ answer }) => answer());
    await until(() => run.state === "done");
    run.add([photo("a")], 50);
    assert.deepEqual(names(run.photos), ["a", "b"]);
    assert.deepEqual(names(run.done), ["b"]);
    await until(() => asked.length === 3);
});

test("a stopped run keeps what it has, hears nothing more, and goes on with the rest", async () => {
    const { run, asked } = running("a", "b", "c", "d", "e");
    await until(() => asked.length === 3);
    asked[0].answer();
    await until(() => run.done.length === 1);
    run.stop();
    asked.slice(1).forEach(({ answer }) => answer());
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual([run.state, names(run.done), asked.length], ["stopped", ["a"], 4]);
    run.goOn();
    await until(() => asked.length === 7);
    assert.deepEqual(asked.slice(4).map(({ name }) => name), ["b", "c", "d"]);
});

test("a run that is cleared is empty, and the next begins anew", async () => {
    const { run, asked } = running("a");
    await until(() => asked.length === 1);
    run.clear();
    assert.deepEqual([run.state, run.photos], ["empty", []]);
    run.add([photo("b")], 50);
    asked[0].answer();
    await until(() => asked.length === 2);
    assert.deepEqual(names(run.done), []);
});

test("a photo that is too large, damaged in its zip or refused has its reason, and the others go on", async () => {
    const asks = engine();
    const run = new Run(asks, () => {});
    const opened = [];
    const damaged = async () => Promise.reject(Object.assign(new Error(), { code: "damaged" }));
    run.add([photo("large", 51 * 2 ** 20, async () => opened.push("large")), photo("zipped", 1, damaged), photo("odd"), photo("fine")], 50);
    await until(() => asks.asked.length === 2);
    asks.asked[0].fail("unknown-type");
    asks.asked[1].answer();
    await until(() => run.state === "done");
    assert.deepEqual(run.photos.map(({ problem }) => problem), ["too-large", "damaged", "unknown-type", null]);
    assert.deepEqual(opened, []);
});

test("a lost connection or a busy engine is waited for, and said, until it answers", async () => {
    const { run, asked } = running("a");
    for (const [turn, code] of ["offline", "busy", ...Array(20).fill("offline")].entries()) {
        await until(() => asked.length === turn + 1);
        asked[turn].fail(code);
        await until(() => run.waiting === code);
    }
    await until(() => asked.length === 23);
    asked[22].answer();
    await until(() => run.state === "done");
    assert.equal(run.waiting, null);
    assert.deepEqual(names(run.done), ["a"]);
});
