/** The network on ONNX Runtime Web: logits, evidence and extent of a picture from one pass. */
import { EngineError } from "../types.js";
import { boxesOf, predictionOf } from "./answer.js";
import { inputOf, viewOf } from "./input.js";

/** @typedef {{data: Uint8ClampedArray, width: number, height: number}} Pixels */
/** @typedef {import("../types.js").Maps} Maps */

const MOST_THREADS = 4; // more wait for each other
/** The smallest program with 128-bit instructions, as wasm-feature-detect has it: what the runtime is made of. */
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

export class Network {
    /**
     * Fetch the network and its runtime, and make them ready.
     * @param {any} about about.json
     * @param {string} page the page's address
     * @param {(share: number) => void} onShare told how much of both has come, from 0 to 1
     * @returns {Promise<Network>}
     * @throws {EngineError}
     */
    static async load(about, page, onShare) {
        if (!globalThis.WebAssembly?.validate(new Uint8Array(SIMD))) throw new EngineError("no-device");
        const { folder, main, packed } = about.runtime;
        const threads = globalThis.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;
        const all = about.network.bytes + packed.bytes;
        let come = 0;
        const onBytes = (/** @type {number} */ bytes) => onShare((come += bytes) / all);
        const [content, runtime, ort] = await Promise.all([
            fetched(about.network, page, onBytes),
            fetched(packed, page, onBytes).then(unpacked),
            import(new URL(main, page).href),
        ]);
        ort.env.wasm.wasmPaths = new URL(folder, page).href;
        ort.env.wasm.numThreads = threads;
        ort.env.wasm.wasmBinary = runtime;
        const session = await ort.InferenceSession.create(content, {
            executionProviders: ["wasm"],
            graphOptimizationLevel: "all",
        });
        return new Network(about, ort, session, threads, new URL(about.runtime.heic, page).href);
    }

    /**
     * @param {any} about
     * @param {any} ort
     * @param {any} session
     * @param {number} threads
     * @param {string} heic the address of what reads HEIC
     */
    constructor(about, ort, session, threads, heic) {
        this.about = about;
        this.ort = ort;
        this.session = session;
        this.way = { threads };
        this.heic = heic;
    }

    /**
     * @param {Pixels} pixels
     * @param {number} [size] of the input's short side
     */
    async predict(pixels, size = this.about.input_size) {
        const { calibration, resize } = this.about.network;
        const { input, shape } = inputOf(pixels, size, resize);
        const pictures = new this.ort.Tensor("float32", input, [1, 3, ...shape]);
        const { logits, evidence, extent } = await this.session.run({ pictures });
        const maps = { evidence: mapsOf(evidence), extent: mapsOf(extent) };
        const prediction = predictionOf([logits.data[0], logits.data[1]], maps.evidence, calibration);
        return { prediction, ...maps };
    }

    /**
     * @param {Pixels} pixels
     * @param {number} [size] of the input's short side
     */
    async explain(pixels, size = this.about.input_size) {
        const { width, height } = pixels;
        const { calibration, resize, bias, finer_scale: finer } = this.about.network;
        const found = await this.predict(pixels, size);
        const view = viewOf(width, height, resize);
        return {
            ...found,
            bias,
            view,
            boxes: boxesOf(found.extent, found.prediction.verdict, view, calibration.box_threshold),
            size: [width, height],
            thresholds: this.about.thresholds,
            scale: finer && size >= 2 * this.about.input_size ? finer : this.about.scale,
        };
    }
}

/**
 * @param {{data: Float32Array, dims: readonly number[]}} tensor (1, 2, height, width)
 * @returns {Maps}
 */
function mapsOf({ data, dims }) {
    const [height, width] = dims.slice(2), places = height * width;
    return { height, width, cat: data.slice(0, places), dog: data.slice(places) };
}

/** @type {Set<string>} addresses of what came damaged: not from the browser's cache again */
const damaged = new Set();

/** @typedef {{file: string, bytes: number, sha256: string}} Part a file of the site, and what it must be */

/**
 * A file, whole.
 * @param {Part} part
 * @param {string} page
 * @param {(bytes: number) => void} onBytes told of each piece that comes
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {EngineError} where it cannot be had, or is not what was built
 */
async function fetched({ file, bytes, sha256 }, page, onBytes) {
    const address = new URL(file, page).href;
    const content = new Uint8Array(bytes); // a server may not say how many, or say how many are left after compression
    let come = 0;
    try {
        const response = await fetch(address, { cache: damaged.has(address) ? "reload" : "default" });
        if (!response.ok || !response.body) throw new EngineError("offline");
        const reader = response.body.getReader();
        for (;;) {
            const { value, done } = await reader.read();
            if (done) break;
            if (come + value.length <= bytes) content.set(value, come);
            come += value.length;
            onBytes(value.length);
        }
    } catch (error) {
        if (error instanceof TypeError) throw new EngineError("offline"); // that is how fetch says so
        throw error;
    }
    if (come === bytes && (await isWhole(content, sha256))) return content;
    damaged.add(address);
    await forget(address); // or it would come from there again
    throw new EngineError("broken-network");
}

/** @param {Uint8Array<ArrayBuffer>} packed by gzip */
async function unpacked(packed) {
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/**
 * Whether it is what was built.
 * @param {Uint8Array<ArrayBuffer>} content
 * @param {string} sha256 in hexadecimal
 */
async function isWhole(content, sha256) {
    if (!globalThis.crypto?.subtle) return true; // no secure context: nobody vouches for the page either
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
    const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return found === sha256;
}

/**
 * Take a file out of what the service worker keeps.
 * @param {string} address
 */
async function forget(address) {
    if (!globalThis.caches) return;
    for (const name of await caches.keys()) await (await caches.open(name)).delete(address);
}
