import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";

import { Following } from "../../../catdog/page/web/elements/following.js";

/** A camera of `perSecond` frames, whose frames are their numbers, by a clock that the test turns. */
const camera = (perSecond = 30) => {
    let frame = 0;
    let fresh = false;
    const waiting = [];
    const timer = setInterval(() => {
        frame++;
        const next = waiting.shift();
        fresh = !next;
        next?.(true);
    }, 1000 / perSecond);
    return {
        grab: () => frame,
        nextFrame: () => {
            if (!fresh) return new Promise((resolve) => waiting.push(resolve));
            fresh = false;
            return Promise.resolve(true);
        },
        close: () => {
            clearInterval(timer);
            for (const resolve of waiting.splice(0)) resolve(false);
        },
    };
};

/** An engine that takes `milliseconds` for an answer; `asked` has the frame, and how many were under way, of each request. */
const engine = (milliseconds) => {
    const asked = [];
    let underway = 0;
    const frame = async (number) => {
        asked.push({ number, underway: ++underway });
        await new Promise((resolve) => setTimeout(resolve, milliseconds()));
        underway--;
        if (made.problem) throw Object.assign(new Error("no answer"), { code: made.problem });
        return { of: number };
    };
    const made = { frame, asked, problem: null };
    return made;
};

/** Let so many milliseconds pass, and everything that waits for them. */
const pass = async (milliseconds) => {
    for (let step = 0; step < milliseconds; step += 5) {
        now += 5;
        mock.timers.tick(5);
        for (let turn = 0; turn < 8; turn++) await Promise.resolve();
    }
};
let now = 0;

beforeEach(() => {
    mock.timers.reset();
    mock.restoreAll();
    mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    now = 0;
    mock.method(performance, "now", () => now);
});

const follow = (made, film = camera()) => {
    const told = { answers: [], problems: [] };
    const following = new Following(film, made, {
        onAnswer: (answer) => told.answers.push(answer.of),
        onProblem: (code) => told.problems.push(code),
    });
    return { following, told, film };
};

test("a slow engine has one frame at a time, the newest; those between are dropped", async () => {
    const made = engine(() => 1000);
    const { following } = follow(made);
    await pass(6000);
    following.stop();
    assert.ok(made.asked.length >= 4);
    for (const { underway } of made.asked) assert.equal(underway, 1);
    for (const [place, { number }] of made.asked.slice(1).entries()) assert.ok(number - made.asked[place].number >= 29);
});

test("a quick engine has the next frame before it has answered, and never a third", async () => {
    const made = engine(() => 100);
    const { following, told } = follow(made);
    await pass(3000);
    following.stop();
    assert.equal(Math.max(...made.asked.map(({ underway }) => underway)), 2);
    assert.ok(told.answers.length > 40);
    assert.equal(new Set(told.answers).size, told.answers.length, "no frame is asked about twice");
});

test("an answer that comes after a later frame's is dropped", async () => {
    let asked = 0;
    const made = engine(() => (++asked % 5 === 4 ? 180 : 60));
    const { following, told } = follow(made);
    await pass(4000);
    following.stop();
    assert.ok(told.answers.length > 20);
    assert.deepEqual(told.answers, [...told.answers].sort((a, b) => a - b));
});

test("one failure is not told, two are, and then that answers come again", async () => {
    const made = engine(() => 50);
    const { following, told } = follow(made);
    await pass(300);
    made.problem = "offline";
    await pass(200);
    assert.deepEqual(told.problems.at(-1), "offline");
    const answered = told.answers.length;
    await pass(3000);
    made.problem = null;
    await pass(3000);
    following.stop();
    assert.equal(told.problems.at(-1), null);
    assert.ok(told.answers.length > answered);
});

test("while there is no answer it is asked for every second or two, not as fast as frames come", async () => {
    const made = engine(() => 5);
    made.problem = "busy";
    const { following } = follow(made);
    await pass(15_000);
    following.stop();
    assert.ok(made.asked.length >= 8 && made.asked.length <= 30, `${made.asked.length} times`);
});

test("an answer that never comes is given up", async () => {
    const made = engine(() => 1e9);
    const { following, told } = follow(made);
    await pass(40_000);
    following.stop();
    assert.equal(told.problems[0], "slow");
});

test("nothing is asked or told after it was stopped", async () => {
    const made = engine(() => 200);
    const { following, told } = follow(made);
    await pass(1100);
    following.stop();
    const before = [made.asked.length, told.answers.length];
    await pass(3000);
    assert.deepEqual([made.asked.length, told.answers.length], before);
});

test("it ends with the camera", async () => {
    const made = engine(() => 50);
    const { told, film } = follow(made);
    await pass(500);
    film.close();
    await pass(200);
    const before = told.answers.length;
    await pass(2000);
    assert.equal(told.answers.length, before);
});

test("the pace is that of the last seconds", async () => {
    const made = engine(() => 100);
    const { following } = follow(made, camera(20));
    assert.equal(following.pace(), null);
    await pass(5000);
    const { perSecond, milliseconds } = following.pace();
    following.stop();
    assert.ok(perSecond > 17 && perSecond < 21, `${perSecond}`);
    assert.ok(milliseconds >= 95 && milliseconds <= 115, `${milliseconds}`);
});
