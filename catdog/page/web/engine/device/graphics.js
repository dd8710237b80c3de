/**
 * The graphics chip, by WebGPU: for the camera's frames, all of one shape, where it gives the same answers sooner. Each new
 * shape would be compiled first, so that photos are answered by the processor.
 */
import { fetched, unpacked } from "./parts.js";
import { Runner } from "./runner.js";

/** @typedef {import("./runner.js").Found} Found */
/** @typedef {import("../types.js").Maps} Maps */

const SAME = 0.02; // logits, and of a place's evidence if every place said the same
const TIMED = 3; // answers of each

/** Whether there is a chip that may be tried: not a program in its place, and not where visitors save data. */
export async function hasGraphics() {
    const { gpu, connection, userAgent } = /** @type {any} */ (navigator);
    if (!gpu || !("Suspending" in WebAssembly) || connection?.saveData) return false;
    if (userAgent.includes("AppleWebKit") && !userAgent.includes("Chrome/")) return false; // Safari: it crashes on iOS 26
    const adapter = await gpu.requestAdapter().catch(() => null);
    return Boolean(adapter) && !adapter.info?.isFallbackAdapter;
}

/**
 * The network on the graphics chip.
 * @param {any} about about.json
 * @param {string} page the page's address
 */
export async function loadGraphics(about, page) {
    const { folder, graphics } = about.runtime;
    const ignored = () => {};
    const [network, runtime, ort] = await Promise.all([
        fetched(about.network, page, ignored),
        fetched(graphics.packed, page, ignored).then(unpacked),
        import(new URL(graphics.main, page).href),
    ]);
    return Runner.create({ ort, runtime, folder: new URL(folder, page).href, threads: 1 }, network, "webgpu");
}

/**
 * Whether a runner gives the answers of another one, and sooner: on a made-up picture, the middle of a few times each, in turns.
 * @param {Pick<Runner, "run">} tried
 * @param {Pick<Runner, "run">} known
 * @param {[number, number]} shape of the input, height and width
 */
export async function isBetter(tried, known, shape) {
    const input = pattern(shape);
    if (!isSame(await tried.run(input, shape), await known.run(input, shape))) return false; // the first runs compile, too
    /** @type {number[][]} */
    const took = [[], []];
    for (let count = 0; count < TIMED; count++) {
        for (const [place, runner] of [tried, known].entries()) {
            const started = performance.now();
            await runner.run(input, shape);
            took[place].push(performance.now() - started);
        }
    }
    const [own, other] = took.map((times) => times.toSorted((one, two) => one - two)[TIMED >> 1]);
    return own < other;
}

/**
 * Waves of every length in every channel: something for each filter.
 * @param {[number, number]} shape
 */
function pattern([height, width]) {
    const places = height * width;
    return Float32Array.from({ length: 3 * places }, (_, index) => {
        const across = index % width, down = Math.floor(index / width) % height;
        return Math.sin(across ** 2 / width) + Math.cos((down ** 2 + across) / height + Math.floor(index / places));
    });
}

/**
 * @param {Found} one
 * @param {Found} other
 */
function isSame(one, other) {
    const near = (/** @type {number} */ a, /** @type {number} */ b, times = 1) => Math.abs(a - b) * times <= SAME; // not NaN
    const alike = (/** @type {Float32Array} */ a, /** @type {Float32Array} */ b) =>
        a.length === b.length && a.every((value, place) => near(value, b[place], a.length));
    return (
        one.logits.every((value, label) => near(value, other.logits[label])) &&
        alike(one.evidence.cat, other.evidence.cat) &&
        alike(one.evidence.dog, other.evidence.dog)
    );
}
