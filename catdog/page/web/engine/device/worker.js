/** The worker that holds the network: pictures in, answers out, one after the other. */
import { Network } from "./network.js";
import { openPicture, pixelsOf } from "./pixels.js";

/**
 * @typedef {{id: number, task: string, picture: Blob | ImageBitmap, size?: number, preview?: boolean, off?: number[],
 *   part?: "change" | "shortcut"}} Question
 */

const PREVIEW_SIDE = 1024; // px
const PREVIEW_QUALITY = 0.88;

/** @type {Network | null} */
let network = null;
/** @type {Promise<import("./inside.js").Inside> | null} fetched once it is asked for */
let inside = null;
/** @type {Question[]} */
const line = [];
let working = false;

self.onmessage = async ({ data }) => {
    if (data.task === "start") return start(data.about, data.page);
    if (data.task === "leave") {
        const place = line.findIndex(({ id }) => id === data.id);
        if (place >= 0) line.splice(place, 1);
        return;
    }
    line.push(data);
    if (!working) work();
};

/**
 * @param {any} about
 * @param {string} page its address, which the network's file is told from
 */
async function start(about, page) {
    try {
        network = await Network.load(about, page, (share) => self.postMessage({ share }));
        network.onWay = (way) => self.postMessage({ way });
        self.postMessage({ ready: network.way });
    } catch (error) {
        self.postMessage({ problem: problemOf(error) });
    }
}

async function work() {
    working = true;
    for (let question = line.shift(); question; question = line.shift()) {
        try {
            self.postMessage({ id: question.id, answer: await answer(question) });
        } catch (error) {
            self.postMessage({ id: question.id, problem: problemOf(error) });
        }
    }
    working = false;
}

/** @param {Question} question */
async function answer({ task, picture, size, preview, off, part }) {
    if (!network) throw new Error("It has not been started.");
    const started = performance.now();
    const { limits, thresholds } = network.about;
    const options = { megapixels: limits.megapixels, heic: network.heic };
    const bitmap = picture instanceof ImageBitmap ? picture : await openPicture(picture, options);
    try {
        const pixels = pixelsOf(bitmap, limits.megapixels, task === "frame" ? size : undefined);
        if (task === "classify") {
            const { prediction, signature } = await network.predict(pixels);
            return { prediction, signature, size: [pixels.width, pixels.height], thresholds };
        }
        if (task === "frame") return { ...(await network.frame(pixels, size)), took: performance.now() - started };
        if (task === "layers") return (await insideOf(network)).layers(pixels);
        if (task === "blocks") return (await insideOf(network)).blocks(pixels, off ?? [], part ?? "change");
        if (task === "features") return (await insideOf(network)).features(pixels);
        if (task === "weights") return (await insideOf(network)).weights(pixels);
        const explanation = await network.explain(pixels, size);
        return { ...explanation, preview: preview ? await previewOf(bitmap) : null };
    } finally {
        bitmap.close();
    }
}

/** @param {Network} known */
async function insideOf(known) {
    inside ??= import("./inside.js").then(({ Inside }) => Inside.load(known));
    try {
        return await inside;
    } catch (error) {
        inside = null; // the next question tries again
        throw error;
    }
}

/** @param {ImageBitmap} whole */
async function previewOf(whole) {
    const times = Math.min(1, PREVIEW_SIDE / Math.max(whole.width, whole.height));
    const canvas = new OffscreenCanvas(Math.round(whole.width * times), Math.round(whole.height * times));
    canvas.getContext("2d")?.drawImage(whole, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: PREVIEW_QUALITY });
    const reader = new FileReader();
    return new Promise((resolve, reject) => {
        reader.onload = () => resolve(reader.result);
        reader.onerror = () => reject(reader.error);
        reader.readAsDataURL(blob);
    });
}

/** @param {unknown} error */
function problemOf(error) {
    const code = /** @type {{code?: unknown}} */ (error)?.code;
    if (typeof code === "string") return code;
    if (error instanceof RangeError) return "no-memory"; // that is how an array says so
    console.error(error);
    return "failed";
}
