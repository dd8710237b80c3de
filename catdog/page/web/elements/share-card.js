/** An answer as one picture to hand around: the photo with its evidence, the verdict, the bars, the page's name and address. */

/**
 * @typedef {object} Card
 * @property {HTMLCanvasElement} picture with its evidence
 * @property {string} sentence the verdict's
 * @property {{name: string, share: number, percent: string, color: string}[]} bars cat, dog; the share is of the bar's length
 * @property {string} name of the page
 * @property {string} address of the page
 */

const WIDTH = 1080; // px, what social networks show
const TALLEST = 1350; // px, of the picture: it would leave no room for words on a phone's screen
const MARGIN = 56; // px
const PAPER = "#faf8f5";
const INK = "#221f1b";
const SOFT = "#675f56";
const TRACK = "#e4ded6";
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif';
const LINE = 78; // px, of the sentence
const BAR = 72; // px from one bar to the next

/**
 * @param {Card} card
 * @returns {HTMLCanvasElement}
 */
export function drawCard({ picture, sentence, bars, name, address }) {
    const canvas = document.createElement("canvas");
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const times = Math.min(WIDTH / picture.width, TALLEST / picture.height);
    const [width, height] = [Math.round(picture.width * times), Math.round(picture.height * times)];
    context.font = `650 64px ${FONT}`;
    const lines = wrapped(sentence, WIDTH - 2 * MARGIN, (text) => context.measureText(text).width);
    canvas.width = WIDTH;
    canvas.height = height + MARGIN + lines.length * LINE + bars.length * BAR + 2 * MARGIN;

    context.fillStyle = PAPER;
    context.fillRect(0, 0, WIDTH, canvas.height);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, (WIDTH - width) / 2, 0, width, height);
    let y = height + MARGIN;
    context.textBaseline = "top";
    context.font = `650 64px ${FONT}`; // the canvas has forgotten it with its new size
    context.fillStyle = INK;
    for (const line of lines) {
        context.fillText(line, MARGIN, y);
        y += LINE;
    }
    y += 16;
    for (const bar of bars) {
        drawBar(context, bar, y);
        y += BAR;
    }
    context.font = `600 34px ${FONT}`;
    context.fillStyle = INK;
    context.fillText(name, MARGIN, y + 16);
    context.fillStyle = SOFT;
    context.font = `400 34px ${FONT}`;
    context.textAlign = "right";
    context.fillText(address, WIDTH - MARGIN, y + 16, WIDTH / 2);
    return canvas;
}

/**
 * @param {string} text
 * @param {number} width that a line may have
 * @param {(text: string) => number} measure
 * @returns {string[]} its lines, broken at spaces, or anywhere in what has none, as Chinese
 */
export function wrapped(text, width, measure) {
    /** @type {string[]} */
    const lines = [];
    let line = "";
    for (const part of text.match(/[\u3000-\uffef]|[^\s\u3000-\uffef]+\s*/gu) ?? []) {
        if (line && measure((line + part).trimEnd()) > width) {
            lines.push(line.trimEnd());
            line = "";
        }
        line += part;
    }
    return [...lines, line.trimEnd()];
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Card["bars"][number]} bar
 * @param {number} y
 */
function drawBar(context, { name, share, percent, color }, y) {
    const [left, right] = [MARGIN + 130, WIDTH - MARGIN - 150];
    context.font = `600 38px ${FONT}`;
    context.fillStyle = INK;
    context.textAlign = "left";
    context.fillText(name, MARGIN, y);
    for (const [length, fill] of /** @type {const} */ ([[1, TRACK], [share, color]])) {
        context.fillStyle = fill;
        context.beginPath();
        context.roundRect(left, y + 10, Math.max(24, (right - left) * length), 24, 12);
        context.fill();
    }
    context.fillStyle = INK;
    context.textAlign = "right";
    context.fillText(percent, WIDTH - MARGIN, y);
    context.textAlign = "left";
}
