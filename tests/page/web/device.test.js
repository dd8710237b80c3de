// What the engine on the device needs of a browser.
import assert from "node:assert/strict";
import test from "node:test";
import { Network } from "../../../catdog/page/web/engine/device/network.js";

test("a browser without 128-bit instructions is told before anything is fetched", async (context) => {
    context.mock.method(WebAssembly, "validate", () => false);
    const fetched = context.mock.method(globalThis, "fetch", () => assert.fail("it fetched"));
    await assert.rejects(Network.load({}, "http://127.0.0.1/", () => {}), { code: "no-device" });
    assert.equal(fetched.mock.callCount(), 0);
});

test("a browser with them is asked for more", async (context) => {
    context.mock.method(globalThis, "fetch", () => Promise.reject(new TypeError("no network")));
    const part = { file: "network.onnx", bytes: 1, sha256: "" };
    const about = { network: part, runtime: { folder: "runtime/", main: "data:text/javascript,", packed: part } };
    await assert.rejects(Network.load(about, "http://127.0.0.1/", () => {}), { code: "offline" });
});
