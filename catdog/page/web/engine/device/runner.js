/** The network in a build of ONNX Runtime Web: pictures in, logits and maps out. */

/** @typedef {import("../types.js").Maps} Maps */
/** @typedef {{logits: [number, number], evidence: Maps, extent: Maps, signatures: {cat: Float32Array, dog: Float32Array}}} Found */

/**
 * A build of the runtime, and what it is told at its start.
 * @typedef {{ort: any, runtime: ArrayBuffer, folder: string, threads: number}} Build
 */

export class Runner {
    /**
     * @param {Build} build
     * @param {Uint8Array} network the file's content
     * @param {"wasm" | "webgpu"} provider what computes: the processor or the graphics chip
     */
    static async create({ ort, runtime, folder, threads }, network, provider) {
        ort.env.wasm.wasmPaths = folder;
        ort.env.wasm.numThreads = threads;
        ort.env.wasm.wasmBinary = runtime;
        const options = { executionProviders: [provider], graphOptimizationLevel: "all" };
        return new Runner(ort, await ort.InferenceSession.create(network, options));
    }

    /**
     * @param {any} ort
     * @param {any} session
     */
    constructor(ort, session) {
        this.ort = ort;
        this.session = session;
    }

    /**
     * @param {Float32Array} input of one picture, channel by channel, row by row
     * @param {[number, number]} shape its height and width
     * @returns {Promise<Found>}
     */
    async run(input, shape) {
        const pictures = new this.ort.Tensor("float32", input, [1, 3, ...shape]);
        const { logits, evidence, extent, signatures } = await this.session.run({ pictures });
        const channels = signatures.data.length / 2;
        return {
            logits: [logits.data[0], logits.data[1]],
            evidence: mapsOf(evidence),
            extent: mapsOf(extent),
            signatures: { cat: signatures.data.slice(0, channels), dog: signatures.data.slice(channels) },
        };
    }

    /** Frees what it holds. */
    async end() {
        await this.session.release();
    }
}

/**
 * @param {{data: Float32Array, dims: readonly number[]}} tensor (1, 2, height, width)
 * @returns {Maps}
 */
export function mapsOf({ data, dims }) {
    const [height, width] = dims.slice(2), places = height * width;
    return { height, width, cat: data.slice(0, places), dog: data.slice(places) };
}
