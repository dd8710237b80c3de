import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";

import { Following } from "../../../catdog/page/web/elements/following.js";

const FRAME = 40; // ms between two of the camera's

let now = 0;

beforeEach(() => {
    mock.timers.reset();
    mock.restoreAll();
    mock.timers.enable({ apis: ["setTimeout"] });
    now = 0;
    mock.method(performance, "now", () => now);
});

/** An engine that takes some milliseconds for an answer, has two frames under way, and no place for more. */
const slowEngine = (takes = 100) => {
    const engine = {
        asked: 0,
        signal: null,
        underway: 0,
        problem: null,
        async frame(frame, { signal }) {
            engine.signal = signal;
            if (engine.underway === 2) return null;
            engine.asked++;
            engine.underway++;
            await new Promise((resolve) => setTimeout(resolve, takes));
            engine.underway--;
            if (engine.problem) throw Object.assign(new Error(), engine.problem);
            return { of: frame };
        },
    };
    return engine;
};

const follow = (engine) => {
    const told = { answers: [], problems: [] };
    const following = new Following(
        engine,
        (answer) => told.answers.push(answer.of),
        (code) => told.problems.push(code),
    );
    /** The camera goes on for so many milliseconds. */
    const film = async (milliseconds) => {
        for (const end = now + milliseconds; now < end; now += FRAME) {
            following.see(now);
            mock.timers.tick(FRAME);
            for (let turn = 0; turn < 8; turn++) await Promise.resolve();
        }
    };
    return { following, told, film };
};

test("frames are answered in their order, and those without a place are dropped", async () => {
    const engine = slowEngine();
    const { told, film } = follow(engine);
    await film(2000);
    assert.ok(told.answers.length > 15 && told.answers.length < 50);
    assert.deepEqual(told.answers, [...told.answers].sort((a, b) => a - b));
    assert.deepEqual(told.problems, []);
});

test("one failure is not told, and soon forgotten", async () => {
    const engine = slowEngine();
    const { told, film } = follow(engine);
    await film(400);
    engine.problem = { code: "offline" };
    await film(120);
    engine.problem = null;
    const answered = told.answers.length;
    await film(1000);
    assert.deepEqual(told.problems, []);
    assert.ok(told.answers.length > answered);
});

test("lasting failure is told, and so is its end", async () => {
    const engine = slowEngine();
    const { told, film } = follow(engine);
    engine.problem = { code: "offline" };
    await film(1000);
    assert.deepEqual(told.problems, ["offline"]);
    assert.deepEqual(told.answers, []);
    engine.problem = null;
    await film(3000);
    assert.deepEqual(told.problems, ["offline", null]);
    assert.ok(told.answers.length > 5);
});

test("while there is no answer, a frame is sent every second or two only", async () => {
    const engine = slowEngine();
    engine.problem = { code: "busy" };
    const { film } = follow(engine);
    await film(15_000);
    assert.ok(engine.asked >= 10 && engine.asked <= 30, `${engine.asked} times`);
});

test("an engine that says how long to wait is not asked sooner", async () => {
    const engine = slowEngine();
    engine.problem = { code: "busy", wait: 10 };
    const { film } = follow(engine);
    await film(1000);
    const asked = engine.asked;
    await film(8000);
    assert.equal(engine.asked, asked);
});

test("nothing is asked or told after it was stopped", async () => {
    const engine = slowEngine();
    const { following, told, film } = follow(engine);
    await film(400);
    assert.ok(!engine.signal.aborted);
    following.stop();
    assert.ok(engine.signal.aborted, "nor are those sent that it has");
    const before = [engine.asked, told.answers.length];
    await film(1000);
    assert.deepEqual([engine.asked, told.answers.length], before);
});

test("the pace is that of the last seconds; a failure ends it", async () => {
    const engine = slowEngine();
    const { following, film } = follow(engine);
    assert.equal(following.pace(), null);
    await film(5000);
    const { perSecond, milliseconds } = following.pace();
    assert.ok(perSecond > 12 && perSecond < 21, `${perSecond}`);
    assert.ok(milliseconds >= 80 && milliseconds <= 140, `${milliseconds}`);
    engine.problem = { code: "failed" };
    await film(1000);
    assert.equal(following.pace(), null);
});

test("the pace of an engine that takes seconds is told as well", async () => {
    const { following, film } = follow(slowEngine(5000));
    await film(21_000);
    const { perSecond, milliseconds } = following.pace();
    assert.ok(perSecond > 0.3 && perSecond < 0.5, `${perSecond}`);
    assert.ok(milliseconds >= 4900 && milliseconds <= 5200, `${milliseconds}`);
});
