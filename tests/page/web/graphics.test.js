// When the graphics chip answers the camera's frames.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { gzipSync } from "node:zlib";
import { hasGraphics, isBetter } from "../../../catdog/page/web/engine/device/graphics.js";
import { Network } from "../../../catdog/page/web/engine/device/network.js";

const SHAPE = /** @type {[number, number]} */ ([64, 96]);

/**
 * A network that takes some time; the maps have a place for each 32 x 32 pixels.
 * @param {number} milliseconds
 * @param {{wrong?: number, first?: number}} [options] added to a place; what the first answer takes
 */
function runner(milliseconds, { wrong = 0, first = milliseconds } = {}) {
    let asked = 0;
    return {
        /** @param {Float32Array} input @param {[number, number]} shape */
        async run(input, [height, width]) {
            await new Promise((resolve) => setTimeout(resolve, asked++ ? milliseconds : first));
            const maps = { height: height / 32, width: width / 32, cat: input.slice(0, 6), dog: input.slice(6, 12) };
            maps.dog[3] += wrong;
            const signatures = { cat: input.slice(0, 2), dog: input.slice(2, 4) };
            return { logits: /** @type {[number, number]} */ ([input[0], input[1]]), evidence: maps, extent: maps, signatures };
        },
    };
}

test("it does where it is sooner, however long it takes to start", async () => {
    assert.equal(await isBetter(runner(2, { first: 80 }), runner(30), SHAPE), true);
});

test("it does not where it is later", async () => {
    assert.equal(await isBetter(runner(30), runner(2), SHAPE), false);
});

test("it does not where one place says something else, or nothing", async () => {
    for (const wrong of [0.004, NaN]) assert.equal(await isBetter(runner(2, { wrong }), runner(30), SHAPE), false);
    assert.equal(await isBetter(runner(2, { wrong: 0.003 }), runner(30), SHAPE), true, "a sixth of 0.02, as a float is rounded");
});

const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
const SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Safari/604.1";
const CHIP = { requestAdapter: async () => ({ info: { isFallbackAdapter: false } }) };
if (!("Suspending" in WebAssembly)) Object.assign(WebAssembly, { Suspending: class {} }); // as newer ones have it

/**
 * @template T
 * @param {Record<string, any>} navigator the browser's
 * @param {() => Promise<T>} task
 */
async function inBrowser(navigator, task) {
    const own = Object.getOwnPropertyDescriptor(globalThis, "navigator");
    Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
    try {
        return await task();
    } finally {
        Reflect.deleteProperty(globalThis, "navigator"); // older Nodes have none
        if (own) Object.defineProperty(globalThis, "navigator", own);
    }
}

test("it is tried where there is one, and not where a program stands in for it or data is saved", async () => {
    const program = { requestAdapter: async () => ({ info: { isFallbackAdapter: true } }) };
    const lost = { requestAdapter: () => Promise.reject(new Error("lost")) };
    assert.equal(await inBrowser({ userAgent: CHROME, gpu: CHIP }, hasGraphics), true);
    for (const gpu of [undefined, { requestAdapter: async () => null }, lost, program]) {
        assert.equal(await inBrowser({ userAgent: CHROME, gpu }, hasGraphics), false);
    }
    assert.equal(await inBrowser({ userAgent: CHROME, gpu: CHIP, connection: { saveData: true } }, hasGraphics), false);
    assert.equal(await inBrowser({ userAgent: SAFARI, gpu: CHIP }, hasGraphics), false);
});

/** A build of the runtime that answers `times` times like `runner`, at once, and then no more. */
const runtime = (/** @type {number} */ times) => `data:text/javascript,
    let left = ${times};
    const maps = (data, [, , height, width]) => ({ data, dims: [1, 2, height / 32, width / 32] });
    export const env = { wasm: {} };
    export class Tensor { constructor(type, data, dims) { Object.assign(this, { data, dims }); } }
    export const InferenceSession = { create: async () => ({
        async run({ pictures: { data, dims } }) {
            if (left-- === 0) throw new Error("the device was lost");
            const found = maps(data.slice(0, 12), dims);
            return { logits: { data }, evidence: found, extent: found, signatures: { data: data.slice(0, 4) } };
        },
        async release() {},
    }) };`;

/**
 * The ways that a network tells while it answers frames.
 * @param {import("node:test").TestContext} context
 * @param {string} main address of the build for the graphics chip
 */
async function waysOf(context, main) {
    const content = gzipSync("any");
    const part = { file: "any", bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
    context.mock.method(globalThis, "fetch", async () => new Response(content));
    context.mock.method(console, "info", () => {});
    const calibration = { head: "sigmoid", temperature: [1, 1], offset: [0, 0], top_weight: [0, 0], present: 0.5, both: 0.5 };
    const about = {
        calibration,
        network: { ...part, resize: "whole" },
        runtime: { folder: "runtime/", heic: "heic", graphics: { main, packed: part } },
    };
    const network = new Network(about, "http://127.0.0.1/", /** @type {any} */ (runner(10)), 2);
    /** @type {any[]} */
    const ways = [network.way];
    network.onWay = (way) => ways.push(way);
    const pixels = { data: new Uint8ClampedArray(4 * 96 * 64).fill(200), width: 96, height: 64 };
    await inBrowser({ userAgent: CHROME, gpu: CHIP }, async () => {
        for (let frame = 0; frame < 10; frame++) assert.equal((await network.frame(pixels, 64)).size[0], 96);
    });
    return ways.map((way) => way.graphics);
}

test("frames are answered by it once it has come, and by the processor again once it is gone", async (context) => {
    assert.deepEqual(await waysOf(context, runtime(6)), [false, true, false]);
});

test("frames are answered by the processor where it cannot be had", async (context) => {
    assert.deepEqual(await waysOf(context, "data:text/javascript,throw new Error()"), [false]);
});
