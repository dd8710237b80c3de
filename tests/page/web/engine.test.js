// The server's engine: what it asks, and what becomes of answers that are late, wrong or none.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { ServerEngine } from "../../../catdog/page/web/engine/server.js";
import { Newest } from "../../../catdog/page/web/engine/newest.js";
import { answerMany } from "../../../catdog/page/web/engine/many.js";
import { EngineError } from "../../../catdog/page/web/engine/types.js";

const ABOUT = { name: "catdog", limits: { megabytes: 1, megapixels: 100, photos: 500 } };
const ANSWER = { prediction: { verdict: "cat" }, evidence: [[[1, 2]], [[3, 4]]], size: [20, 10] };
const photo = new Blob(["a photo"]);
const json = (value, init) => new Response(JSON.stringify(value), init);
const code = (expected) => (error) => error instanceof EngineError && error.code === expected;

let asked, answer;

beforeEach(() => {
    asked = [];
    answer = () => json(ANSWER);
    mock.restoreAll();
    mock.method(globalThis, "fetch", async (address, request = {}) => {
        if (address === "about.json") return json(ABOUT);
        asked.push({ address, ...request });
        return answer(request);
    });
});

test("a photo is sent as it is, to an address beside the page", async () => {
    const explanation = await new ServerEngine().explain(photo, { size: 448, preview: true });
    assert.equal(asked[0].address, "engine/explain?size=448&preview=1");
    assert.equal(asked[0].method, "POST");
    assert.equal(asked[0].body, photo);
    assert.deepEqual(explanation.evidence, { height: 1, width: 2, cat: Float32Array.of(1, 2), dog: Float32Array.of(3, 4) });
    assert.equal(explanation.extent, null);
    await new ServerEngine().explain(photo);
    assert.equal(asked[1].address, "engine/explain");
    await new ServerEngine().inside("methods", photo, { method: "LayerCAM", label: "cat" });
    assert.equal(asked[2].address, "engine/methods?method=LayerCAM&label=cat");
});

test("what the page tells of itself is asked for once, and again after a failure", async () => {
    const engine = new ServerEngine();
    await Promise.all([engine.about(), engine.about()]);
    assert.equal((await engine.about()).name, "catdog");
    assert.equal(fetch.mock.callCount(), 1);
    const other = new ServerEngine();
    fetch.mock.mockImplementationOnce(async () => new Response("", { status: 500 }));
    await assert.rejects(other.about(), code("failed"));
    assert.equal((await other.about()).name, "catdog");
});

test("problems keep the server's code; without one the status says which", async () => {
    const cases = [
        [json({ problem: "damaged" }, { status: 400 }), "damaged"],
        [json({ problem: "busy" }, { status: 429 }), "busy"],
        [new Response("<html>", { status: 413 }), "too-large"],
        [new Response("<html>", { status: 502 }), "offline"],
        [new Response("", { status: 503 }), "busy"],
        [new Response("", { status: 418 }), "failed"],
        [new Response("<html>", { status: 200 }), "failed"],
    ];
    for (const [response, expected] of cases) {
        answer = () => response;
        await assert.rejects(new ServerEngine().explain(photo), code(expected), expected);
    }
});

test("a lost connection is offline, and a file that is no longer there is gone", async () => {
    answer = () => Promise.reject(new TypeError("Failed to fetch"));
    await assert.rejects(new ServerEngine().explain(photo), code("offline"));
    const moved = new Blob(["x"]);
    moved.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException("", "NotReadableError")) });
    await assert.rejects(new ServerEngine().explain(moved), code("gone"));
});

test("files that are empty or too large are not sent", async () => {
    await assert.rejects(new ServerEngine().explain(new Blob([])), code("empty"));
    await assert.rejects(new ServerEngine().explain(new Blob([new Uint8Array(2 ** 20 + 1)])), code("too-large"));
    assert.equal(asked.length, 0);
});

test("aborting ends the request and throws AbortError", async () => {
    answer = ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(new DOMException("", "AbortError"))));
    const abort = new AbortController();
    const asking = new ServerEngine().explain(photo, { signal: abort.signal });
    setTimeout(() => abort.abort());
    await assert.rejects(asking, { name: "AbortError" });
    await assert.rejects(new ServerEngine().explain(photo, { signal: abort.signal }), { name: "AbortError" });
    assert.equal(asked.length, 1);
});

test("an answer that does not come is given up as slow", async (context) => {
    const engine = new ServerEngine();
    await engine.about();
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const sent = new Promise((resolve) => {
        answer = ({ signal }) => {
            resolve();
            return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        };
    });
    const asking = engine.explain(photo);
    await sent;
    context.mock.timers.tick(600_000);
    await assert.rejects(asking, code("slow"));
});

const sources = (...files) => files.map((file) => async () => file);

test("many files are answered three at a time, whatever becomes of some", async () => {
    let now = 0, most = 0;
    const answers = [];
    const work = async (file) => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve));
        now--;
        if (file === 4) throw new EngineError("damaged");
        return { prediction: file };
    };
    await answerMany(sources(0, 1, 2, 3, 4, 5, 6, 7), work, (index, found) => (answers[index] = found));
    assert.equal(most, 3);
    assert.deepEqual(answers.map((found) => found.problem ?? found.prediction), [0, 1, 2, 3, "damaged", 5, 6, 7]);
});

test("a file is tried again while the engine is busy or away, after longer and longer waits", async () => {
    const waits = [], told = [], answers = [];
    const pause = async (milliseconds) => waits.push(milliseconds);
    const problems = [new EngineError("busy", 1.5), ..."12345".split("").map(() => new EngineError("offline"))];
    const work = async () => {
        if (problems.length) throw problems.shift();
        return { prediction: "cat" };
    };
    const onWait = (code) => told.push(code);
    await answerMany(sources("a"), work, (index, found) => (answers[index] = found), { pause, onWait });
    assert.deepEqual(answers, [{ prediction: "cat" }]);
    assert.deepEqual(waits, [1500, 2000, 4000, 8000, 10_000, 10_000]);
    assert.deepEqual(told, ["busy", "offline", "offline", "offline", "offline", "offline", null]);
});

test("stopping many ends the waits, and nothing is answered any more", async () => {
    const stop = new AbortController(), answers = [];
    const work = async () => {
        throw new EngineError("offline");
    };
    const all = answerMany(sources("a", "b"), work, (index) => answers.push(index), { signal: stop.signal });
    setTimeout(() => stop.abort());
    await assert.rejects(all, { name: "AbortError" });
    assert.deepEqual(answers, []);
});

test("frames that a newer one overtakes are never answered", async () => {
    const started = [], finish = {};
    const frames = new Newest((frame) => {
        started.push(frame);
        return new Promise((resolve, reject) => (finish[frame] = { resolve, reject }));
    });
    const [a, b, c, d] = ["a", "b", "c", "d"].map((frame) => frames.ask(frame));
    assert.deepEqual(started, ["a", "b"]);
    assert.equal(await c, null, "d took its place");
    finish.b.resolve("answer b");
    assert.equal(await b, "answer b");
    finish.a.resolve("answer a");
    assert.equal(await a, null, "b was answered sooner");
    finish.d.reject(new EngineError("offline"));
    await assert.rejects(d, code("offline"));
    const e = frames.ask("e");
    finish.e.resolve("answer e");
    assert.equal(await e, "answer e");
});
