/** The tour's answers on the device, as catdog/page/inside.py gives them: layer by layer, without some blocks, by other weights. */
import { predictionOf } from "./answer.js";
import { inputOf, viewOf } from "./input.js";
import { fetched } from "./parts.js";
import { Runner, mapsOf } from "./runner.js";

/**
 * @typedef {import("./network.js").Network} Network
 * @typedef {import("./network.js").Pixels} Pixels
 * @typedef {{data: Float32Array, dims: readonly number[]}} Features (1, channels, height, width)
 * @typedef {Record<string, Features>} Found what the layered network gives, by name
 */

const SHOWN = 9; // channels of each layer, the strongest
const STAGES = [1, 2, 3, 4];

export class Inside {
    /**
     * Fetches the models of the tour; their weights are the network's, which the browser has.
     * @param {Network} network
     */
    static async load(network) {
        const { about, page } = network;
        const nothing = () => {};
        const [stored, layers, shuffled] = await Promise.all(
            [about.network, about.inside.layers, about.inside.shuffled].map((part) => fetched(part, page, nothing)),
        );
        const externalData = [{ path: about.inside.stored, data: stored }];
        const { ort } = network.runner;
        const session = (/** @type {Uint8Array} */ model) =>
            ort.InferenceSession.create(model, { executionProviders: ["wasm"], graphOptimizationLevel: "all", externalData });
        return new Inside(network, await session(layers), new Runner(ort, await session(shuffled)));
    }

    /**
     * @param {Network} network
     * @param {any} layers a session
     * @param {Runner} shuffled
     */
    constructor(network, layers, shuffled) {
        this.network = network;
        this.session = layers;
        this.shuffled = shuffled;
    }

    /**
     * What the stem and each stage give, and each stage's last residual block at work.
     * @param {Pixels} pixels
     */
    async layers(pixels) {
        const found = await this.#run(pixels, [], "change");
        return { ...this.#shown(pixels), ...layersOf(found, this.network.about.inside.layers_of) };
    }

    /**
     * The answer without some blocks' change F(x) or shortcut x.
     * @param {Pixels} pixels
     * @param {number[]} off
     * @param {"change" | "shortcut"} part
     */
    async blocks(pixels, off, part) {
        const { evidence, logits, sizes } = await this.#run(pixels, off, part);
        const { depths } = this.network.about.inside;
        return { ...this.#answer(pixels, logits.data, mapsOf(evidence)), depths, changes: Array.from(sizes.data) };
    }

    /**
     * The last stage's output.
     * @param {Pixels} pixels
     */
    async features(pixels) {
        const { stage4, evidence } = await this.#run(pixels, [], "change");
        return { ...this.#shown(pixels), features: stage4.data.slice(), evidence: mapsOf(evidence) };
    }

    /**
     * The answer by the checkpoint's weights, and by the same ones shuffled.
     * @param {Pixels} pixels
     */
    async weights(pixels) {
        const { input, shape } = this.#input(pixels);
        const [ours, others] = [await this.network.runner.run(input, shape), await this.shuffled.run(input, shape)];
        const answer = (/** @type {import("./runner.js").Found} */ { logits, evidence }) => this.#answer(pixels, logits, evidence);
        return { checkpoint: answer(ours), shuffled: answer(others), imagenet: null };
    }

    /** @param {Pixels} pixels */
    #input(pixels) {
        const { input_size: size, network } = this.network.about;
        return inputOf(pixels, size, network.resize);
    }

    /**
     * @param {Pixels} pixels
     * @param {number[]} off
     * @param {"change" | "shortcut"} part
     * @returns {Promise<Found>}
     */
    async #run(pixels, off, part) {
        const { Tensor } = this.network.runner.ort;
        const { input, shape } = this.#input(pixels);
        const { depths } = this.network.about.inside;
        const count = depths.reduce((/** @type {number} */ sum, /** @type {number} */ depth) => sum + depth, 0);
        const on = new Float32Array(count).fill(1), switched = on.map((_, block) => (off.includes(block) ? 0 : 1));
        const tensor = (/** @type {"change" | "shortcut"} */ each) => new Tensor("float32", part === each ? switched : on, [count]);
        const pictures = new Tensor("float32", input, [1, 3, ...shape]);
        return this.session.run({ pictures, change: tensor("change"), shortcut: tensor("shortcut") });
    }

    /** @param {Pixels} pixels */
    #shown({ width, height }) {
        return { size: [width, height], view: viewOf(width, height, this.network.about.network.resize) };
    }

    /**
     * @param {Pixels} pixels
     * @param {ArrayLike<number>} logits
     * @param {import("../types.js").Maps} evidence
     */
    #answer(pixels, logits, evidence) {
        const { calibration, thresholds, scale, network } = this.network.about;
        const prediction = predictionOf([logits[0], logits[1]], evidence, calibration);
        return { ...this.#shown(pixels), prediction, evidence, bias: network.bias, boxes: { cat: null, dog: null }, thresholds, scale };
    }
}

/**
 * @param {Found} found
 * @param {{name: string, channels: number, stride: number, field: number}[]} known
 */
export function layersOf(found, known) {
    const layers = known.map((layer) => {
        const [height, width] = found[layer.name].dims.slice(2);
        return { ...layer, height, width, shown: strongestOf(found[layer.name]) };
    });
    return { layers, blocks: STAGES.map((stage) => atWork(found[`shortcut${stage}`], found[`change${stage}`])) };
}

/**
 * The channels with the largest means, and what they hold: as bytes, of which 255 is the channel's peak.
 * @param {Features} features
 */
function strongestOf({ data, dims }) {
    const places = dims[2] * dims[3];
    const parts = Array.from({ length: dims[1] }, (_, channel) => data.subarray(channel * places, (channel + 1) * places));
    const means = parts.map((values) => values.reduce((sum, value) => sum + value, 0) / places);
    const order = means.map((_, channel) => channel).sort((one, other) => means[other] - means[one] || one - other);
    return order.slice(0, SHOWN).map((channel) => {
        const values = parts[channel], peak = values.reduce((most, value) => Math.max(most, value), 0);
        return { channel, peak, values: Uint8Array.from(values, (value) => Math.floor((value * 255) / Math.max(peak, 1e-9) + 0.5)) };
    });
}

/**
 * One channel of a residual block, where both input and change are strong. Maps as rows of numbers, on one scale.
 * @param {Features} x
 * @param {Features} change
 */
function atWork(x, change) {
    const [, channels, height, width] = x.dims, places = height * width;
    let channel = 0, most = -Infinity;
    for (let each = 0; each < channels; each++) {
        let sum = 0;
        for (let place = each * places; place < (each + 1) * places; place++) sum += x.data[place] * Math.abs(change.data[place]);
        if (sum > most) [channel, most] = [each, sum];
    }
    const part = (/** @type {Features} */ { data }) => data.subarray(channel * places, (channel + 1) * places);
    const parts = [part(x), part(change), part(x).map((value, place) => value + part(change)[place])];
    const rows = (/** @type {Float32Array} */ values) =>
        Array.from({ length: height }, (_, row) => Array.from(values.subarray(row * width, (row + 1) * width)));
    const scale = Math.max(...parts.map((values) => values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)));
    return { channel, channels, scale, maps: parts.map(rows) };
}
