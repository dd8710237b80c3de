/** The network on ONNX Runtime Web: logits, evidence and extent of a picture from one pass. */
import { EngineError } from "../types.js";
import { boxesOf, predictionOf } from "./answer.js";
import { hasGraphics, isBetter, loadGraphics } from "./graphics.js";
import { inputOf, shapeOf, viewOf } from "./input.js";
import { fetched, unpacked } from "./parts.js";
import { Runner } from "./runner.js";

/** @typedef {{data: Uint8ClampedArray, width: number, height: number}} Pixels */
/** @typedef {import("../types.js").Way} Way */

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
        const runner = await Runner.create({ ort, runtime, folder: new URL(folder, page).href, threads }, content, "wasm");
        return new Network(about, page, runner, threads);
    }

    /** @type {Runner} what answers the camera's frames */
    #forFrames;
    /** @type {Runner | null} the graphics chip, before it is tried */
    #graphics = null;
    #looked = false;
    /** @type {((way: Way) => void) | null} told once frames are answered otherwise */
    onWay = null;

    /**
     * @param {any} about
     * @param {string} page
     * @param {Runner} runner
     * @param {number} threads
     */
    constructor(about, page, runner, threads) {
        this.about = about;
        this.page = page;
        this.runner = this.#forFrames = runner;
        this.threads = threads;
        this.heic = new URL(about.runtime.heic, page).href;
    }

    /** @returns {Way} */
    get way() {
        return { threads: this.threads, graphics: this.#forFrames !== this.runner };
    }

    /**
     * @param {Pixels} pixels
     * @param {number} [size] of the input's short side
     * @param {Runner} [runner]
     */
    async predict(pixels, size = this.about.input_size, runner = this.runner) {
        const { calibration, network: { resize } } = this.about;
        const { input, shape } = inputOf(pixels, size, resize);
        const { logits, signatures, ...maps } = await runner.run(input, shape);
        const prediction = predictionOf(logits, maps.evidence, calibration);
        return { prediction, ...maps, signature: signatures[prediction.dog > prediction.cat ? "dog" : "cat"] };
    }

    /**
     * @param {Pixels} pixels
     * @param {number} [size] of the input's short side
     * @param {Runner} [runner]
     */
    async explain(pixels, size = this.about.input_size, runner = this.runner) {
        const { width, height } = pixels;
        const { calibration, network: { resize, bias, finer_scale: finer } } = this.about;
        const found = await this.predict(pixels, size, runner);
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

    /**
     * The answer to a camera's frame, from the graphics chip where that is better.
     * @param {Pixels} pixels
     * @param {number} [size] of the input's short side
     */
    async frame(pixels, size = this.about.input_size) {
        this.#look();
        await this.#tryGraphics(shapeOf(pixels.width, pixels.height, size, this.about.network.resize));
        try {
            return await this.explain(pixels, size, this.#forFrames);
        } catch (error) {
            if (this.#forFrames === this.runner) throw error;
            this.#answerFramesBy(this.runner); // the chip is gone: a driver that was changed, a device that slept
            return this.explain(pixels, size);
        }
    }

    /** With the first frame: whether there is a graphics chip, while the processor answers. */
    async #look() {
        if (this.#looked) return;
        this.#looked = true;
        try {
            if (await hasGraphics()) this.#graphics = await loadGraphics(this.about, this.page);
        } catch (error) {
            console.info("The graphics chip cannot be used.", error); // the processor goes on
        }
    }

    /** @param {[number, number]} shape */
    async #tryGraphics(shape) {
        const graphics = this.#graphics;
        if (!graphics) return;
        this.#graphics = null;
        if (await isBetter(graphics, this.runner, shape).catch(() => false)) this.#answerFramesBy(graphics);
        else await graphics.end().catch(() => null);
    }

    /** @param {Runner} runner */
    #answerFramesBy(runner) {
        this.#forFrames = runner;
        this.onWay?.(this.way);
    }
}
