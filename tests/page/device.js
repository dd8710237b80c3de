/** Answers questions about the engine on the device, one JSON object a line, with one a line: for test_device_engine.py. */
import { createInterface } from "node:readline";

const place = "../../catdog/page/web/engine/device";
const { inputOf, shapeOf, viewOf } = await import(`${place}/input.js`);
const { enlarged } = await import(`${place}/resample.js`);
const { layersOf } = await import(`${place}/inside.js`);
const { boxAround, boxesOf, predictionOf } = await import(`${place}/answer.js`);

const floats = (text) => new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);
const text = (values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
const maps = ({ cat, dog, height, width }) => ({ cat: floats(cat), dog: floats(dog), height, width });
const questions = {
    input({ data, width, height, size, resize, full }) {
        const picture = { data: new Uint8ClampedArray(Buffer.from(data, "base64")), width, height };
        const { input, shape } = inputOf(picture, size, resize, full);
        return { input: text(input), shape };
    },
    shape: ({ width, height, size, resize }) => ({ shape: shapeOf(width, height, size, resize), view: viewOf(width, height, resize) }),
    enlarged: ({ values, width, height, size }) => ({ values: text(enlarged(floats(values), width, height, ...size)) }),
    prediction: ({ logits, evidence, calibration }) => predictionOf(logits, maps(evidence), calibration),
    box: ({ values, width, height, view, threshold }) => ({ box: boxAround(floats(values), width, height, view, threshold) }),
    layers({ found, known }) {
        const features = Object.entries(found).map(([name, { data, dims }]) => [name, { data: floats(data), dims }]);
        const { layers, blocks } = layersOf(Object.fromEntries(features), known);
        const packed = ({ values, ...channel }) => ({ ...channel, values: Buffer.from(values).toString("base64") });
        return { layers: layers.map(({ shown, ...layer }) => ({ ...layer, shown: shown.map(packed) })), blocks };
    },
    boxes: ({ extent, verdict, view, threshold }) => boxesOf(maps(extent), verdict, view, threshold),
};

for await (const line of createInterface({ input: process.stdin })) {
    const { question, ...rest } = JSON.parse(line);
    console.log(JSON.stringify(questions[question](rest)));
}
