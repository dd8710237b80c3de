/** The network on ONNX Runtime Web: logits, evidence and extent of a picture from one pass. */
import { EngineError } from "../types.js";
import { boxesOf, predictionOf } from "./answer.js";
import { inputOf, viewOf } from "./input.js";

/** @typedef {{data: Uint8ClampedArray, width: number, height: number}} Pixels */
/** @typedef {import("../types.js").Maps} Maps */

const MOST_THREADS = 4; // more wait for each other

export class Network {
    /**
     * Fetch the network's file and make it ready.
     * @param {any} about about.json
     * @param {string} page the page's address
     * @param {(share: number) => void} onShare told how much has come
     */
    static async load(about, page, onShare) {
        const { file, bytes, sha256, runtime } = about.network;
        const ort = await import(new URL(`${runtime}ort.wasm.min.mjs`, page).href);
        const threads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;
        ort.env.wasm.wasmPaths = new URL(runtime, page).href;
        ort.env.wasm.numThreads = threads;
        const packed = fetch(new URL(`${runtime}ort-wasm-simd-threaded.wasm.gz`, page));
        const content = await fetched(new URL(file, page).href, bytes, onShare);
        if (!(await isWhole(content, sha256))) {
            await forget(new URL(file, page).href); // or it would come from there again
            throw new EngineError("broken-network");
        }
        ort.env.wasm.wasmBinary = await unpacked(packed);
        const session = await ort.InferenceSession.create(content, {
            executionProviders: ["wasm"],
            graphOptimizationLevel: "all",
        });
        return new Network(about, ort, session, threads);
    }

    /**
     * @param {any} about
     * @param {any} ort
     * @param {any} session
     * @param {number} threads
     */
    constructor(about, ort, session, threads) {
        this.about = about;
        this.ort = ort;
        this.session = session;
        this.way = { threads };
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

/**
 * @param {string} address
 * @param {number} bytes how many there are: a server may not say, or say how many are left after compression
 * @param {(share: number) => void} onShare
 * @throws {EngineError} where it cannot be had
 */
async function fetched(address, bytes, onShare) {
    const content = new Uint8Array(bytes);
    let come = 0;
    try {
        const response = await fetch(address);
        if (!response.ok || !response.body) throw new EngineError("offline");
        const reader = response.body.getReader();
        for (;;) {
            const { value, done } = await reader.read();
            if (done) break;
            if (come + value.length > bytes) throw new EngineError("broken-network");
            content.set(value, come);
            come += value.length;
            onShare(come / bytes);
        }
    } catch (error) {
        if (error instanceof TypeError) throw new EngineError("offline"); // that is how fetch says so
        throw error;
    }
    if (come < bytes) throw new EngineError("broken-network");
    return content;
}

/**
 * @param {Promise<Response>} packed
 * @throws {EngineError} where it cannot be had
 */
async function unpacked(packed) {
    const response = await packed.catch(() => null);
    if (!response?.ok || !response.body) throw new EngineError("offline");
    return new Response(response.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
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
