/**
 * What engines give and take: the same whether a server answers or the visitor's own device.
 *
 * @typedef {"cat" | "dog"} Label
 * @typedef {"cat" | "dog" | "both" | "neither"} Verdict
 * @typedef {[number, number, number, number]} Box left, top, right, bottom in pixels of the upright picture
 * @typedef {{both: number, neither: number}} Thresholds `neither` where the larger probability is below the one, `both`
 *   where the smaller one reaches the other
 * @typedef {{height: number, width: number, cat: Float32Array, dog: Float32Array}} Maps row by row
 *
 * @typedef {object} Prediction
 * @property {number} cat calibrated probability
 * @property {number} dog calibrated probability; the two need not add up to 1
 * @property {Verdict} verdict
 * @property {[number, number]} logits cat, dog: before calibration
 *
 * @typedef {object} Explanation
 * @property {Prediction} prediction
 * @property {Maps} evidence in logits; each map's sum and its bias are the logit
 * @property {Maps | null} extent how far what speaks for a label reaches; twice as fine as the evidence
 * @property {[number, number]} bias cat, dog
 * @property {Box} view the part of the upright picture that the network saw
 * @property {{cat: Box | null, dog: Box | null}} boxes
 * @property {[number, number]} size width and height of the upright picture
 * @property {Thresholds} thresholds
 * @property {number} scale logits of evidence times places that are shown at full color
 * @property {Float32Array | null} [signature] what a pet of the likelier label is recognized by, where that was asked for
 * @property {string | null} preview the picture as a data URL, where it was asked for
 *
 * @typedef {{id: string, photo: string, thumb: string, width: number, height: number, credit: string, license: string,
 *   source: string, verdict: Verdict, alt: string}} Example
 *
 * @typedef {object} About
 * @property {string} name
 * @property {string} version
 * @property {"server" | "device"} engine
 * @property {string} device
 * @property {string} arch
 * @property {string} weights the digest of the checkpoint's, which signatures belong to
 * @property {number} channels of a signature
 * @property {string | null} bank the address of other pets' signatures, where the checkpoint has them
 * @property {number} input_size
 * @property {"binary" | "softmax"} head
 * @property {boolean} negatives whether it was trained with photos of neither
 * @property {Thresholds} thresholds
 * @property {number} scale
 * @property {import("./device/answer.js").Calibration} calibration how logits become an answer
 * @property {{megabytes: number, megapixels: number, photos: number}} limits
 * @property {Example[]} examples
 * @property {string} [elsewhere] the address of this page with the other engine
 *
 * @typedef {{prediction: Prediction, size: [number, number], signature?: Float32Array | null} | {problem: string}} Answer
 *
 * @typedef {{channel: number, peak: number, values: Uint8Array}} Channel what a channel holds, row by row; 255 is its peak
 * @typedef {{name: string, channels: number, stride: number, field: number, height: number, width: number, shown: Channel[]}} Layer
 *   whose places lie `stride` pixels of the input apart, and each see a square of it, `field` pixels wide
 * @typedef {{channel: number, channels: number, scale: number, maps: number[][][]}} Block one channel of x, F(x) and their sum
 * @typedef {{size: [number, number], view: Box, layers: Layer[], blocks: Block[]}} Layers
 * @typedef {{size: [number, number], view: Box, features: Float32Array, evidence: Maps}} Features the last stage's output, channel by
 *   channel, row by row
 *
 * @typedef {{threads: number, graphics: boolean}} Way threads for photos; whether the graphics chip answers the camera's frames
 *
 * @typedef {{size?: number, signed?: boolean, signal?: AbortSignal}} FrameOptions `signed`: the answer has its signature
 *
 * @typedef {Blob | (() => Promise<Blob>)} Source a file, or what opens it in its turn (and may throw EngineError)
 *
 * @typedef {object} Engine
 * @property {"server" | "device"} where pictures are answered
 * @property {((share: number | null) => void) | null} onLoading told how much of the network has come, from 0 to 1; null once
 *   none comes
 * @property {Way | null} way how it answers, once the device can
 * @property {(() => void) | null} [onWay] told when that changes
 * @property {() => Promise<void>} [prepare] fetches what the first answer needs
 * @property {() => Promise<About>} about
 * @property {(picture: Blob, options?: {size?: number, preview?: boolean, signal?: AbortSignal}) => Promise<Explanation>} explain
 * @property {(picture: CanvasImageSource, options?: FrameOptions) => Promise<Explanation | null>} frame
 *   null: a newer frame took its place
 * @property {(files: Source[], onAnswer: (index: number, answer: Answer) => void, options?: {signal?: AbortSignal,
 *   signed?: boolean, onWait?: (code: "busy" | "offline" | null) => void}) => Promise<void>} many `onWait`: what it waits for, null once it
 *   goes on
 * @property {(kind: string, picture: Blob, options?: Record<string, any>) => Promise<any>} inside questions of a single tab: `layers`,
 *   `blocks`, `weights` and `features`, and of a server `stages` and `methods`
 */

/** Why there is no answer; `problem.CODE` in the words says it. An abort is no such error: it throws AbortError. */
export class EngineError extends Error {
    /**
     * @param {string} code
     * @param {number} [wait] seconds until it is worth another try, where the engine knows
     */
    constructor(code, wait) {
        super(code);
        this.name = "EngineError";
        this.code = code;
        this.wait = wait;
    }
}
