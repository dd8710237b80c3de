import assert from "node:assert/strict";
import test from "node:test";

import { lastLine } from "../../../catdog/page/web/engine/lines.js";

/** A response whose body arrives in these parts. @param {string[]} parts */
const response = (...parts) => new Response(ReadableStream.from(parts.map((part) => new TextEncoder().encode(part))));

test("the last line is the answer, and those before it say how far the work is", async () => {
    /** @type {number[]} */
    const shares = [];
    const answer = await lastLine(response('{"share": 0}\n{"sha', 're": 0.5}\n', '{"map": [[1]]}\n'), (share) => shares.push(share));
    assert.deepEqual(answer, { map: [[1]] });
    assert.deepEqual(shares, [0, 0.5]);
});

test("an answer in one line needs no line's end", async () => {
    assert.deepEqual(await lastLine(response('{"label": "猫"}')), { label: "猫" });
});

test("a letter that is cut in two is read whole", async () => {
    const bytes = new TextEncoder().encode('{"label": "猫"}\n');
    const cut = new Response(ReadableStream.from([bytes.slice(0, 12), bytes.slice(12)]));
    assert.deepEqual(await lastLine(cut), { label: "猫" });
});

test("a problem in a line is an error with its code", async () => {
    await assert.rejects(lastLine(response('{"share": 0}\n{"problem": "busy"}\n')), { name: "EngineError", code: "busy" });
});

test("work that is cut off has no answer", async () => {
    await assert.rejects(lastLine(response('{"share": 0.3}\n')), { code: "offline" });
    await assert.rejects(lastLine(response("")), { code: "offline" });
});
