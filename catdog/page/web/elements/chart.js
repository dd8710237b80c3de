// Charts as SVG, in the page's own colors. Words stand around them as text; each chart's own text alternative is given to it.
import { html, svg } from "../vendor/lit.js";

/** @typedef {import("../scales.js").Scale} Scale */
/** @typedef {import("../shares.js").Rate} Rate */
/** @typedef {[number, number]} Point */

const ACROSS = 10; // dots in a row
const DOT = 10; // px between two of them
const SIDE = 260; // of a plot's square, in its own units
const LEFT = 44; // for the numbers
const BELOW = 24;
const ROOM = 8; // above and right, for half a number

/**
 * A dot for each that is counted, filled where it is right.
 * @param {{right: number, of: number}} share
 */
export function dots({ right, of }) {
    const down = Math.ceil(of / ACROSS);
    return html`<svg class="dots" viewBox="0 0 ${ACROSS * DOT} ${down * DOT}" aria-hidden="true">
        ${Array.from({ length: of }, (_, index) => svg`<circle class=${index < right ? "right" : "wrong"} r="3.6"
            cx=${((index % ACROSS) + 0.5) * DOT} cy=${(Math.floor(index / ACROSS) + 0.5) * DOT}/>`)}
    </svg>`;
}

/**
 * A rate as a dot on a line, and its interval as a bar; as wide as the place that it is given.
 * @param {Rate} rate
 * @param {Scale} scale
 */
export function interval({ value, interval: [low, high] }, { place }) {
    return html`<svg class="interval" aria-hidden="true">
        <line class="axis" x1="0" x2="100%" y1="50%" y2="50%"/>
        <line class="range" x1=${percent(place(low))} x2=${percent(place(high))} y1="50%" y2="50%"/>
        <circle cx=${percent(place(value))} cy="50%" r="5"/>
    </svg>`;
}

/**
 * The numbers under intervals.
 * @param {Scale} scale
 * @param {(share: number) => string} format
 */
export function axis({ place, ticks }, format) {
    return html`<svg class="ticks" aria-hidden="true">
        ${ticks.map((tick) => svg`<text x=${percent(place(tick))} y="14">${format(tick)}</text>`)}
    </svg>`;
}

/**
 * A square with an axis each way and marks on it.
 * @param {{x: Scale, y: Scale, format: (share: number) => string, label: string, marks: unknown}} plot
 */
export function plot({ x, y, format, label, marks }) {
    return html`<svg class="plot" role="img" aria-label=${label}
        viewBox="0 0 ${LEFT + SIDE + ROOM} ${ROOM + SIDE + BELOW}">
        <g transform="translate(${LEFT} ${ROOM})">
            ${x.ticks.map((tick) => {
                const at = x.place(tick) * SIDE;
                return svg`<line class="grid" x1=${at} x2=${at} y1="0" y2=${SIDE}/>
                    <text class="below" x=${at} y=${SIDE + 17}>${format(tick)}</text>`;
            })}
            ${y.ticks.map((tick) => {
                const at = (1 - y.place(tick)) * SIDE;
                return svg`<line class="grid" x1="0" x2=${SIDE} y1=${at} y2=${at}/>
                    <text class="left" x="-8" y=${at + 4}>${format(tick)}</text>`;
            })}
            ${marks}
        </g>
    </svg>`;
}

/**
 * Reliability: for each bin of probabilities, how many of its photos show the label.
 * @param {[number, number, number, number, number][]} bins mean probability, k, n, and the interval's ends
 * @param {Scale} scale of both axes
 * @param {"cat" | "dog"} label
 */
export function reliability(bins, { place }, label) {
    const most = Math.max(...bins.map(([, , n]) => n));
    return svg`<line class="perfect" x1="0" y1=${SIDE} x2=${SIDE} y2="0"/>
        <g class=${label}>${bins.map(([mean, k, n, low, high]) => {
            const at = place(mean) * SIDE;
            return svg`<line class="range" x1=${at} x2=${at} y1=${(1 - place(low)) * SIDE} y2=${(1 - place(high)) * SIDE}/>
                <circle cx=${at} cy=${(1 - place(k / n)) * SIDE} r=${3 + 6 * Math.sqrt(n / most)}/>`;
        })}</g>`;
}

/**
 * A curve in steps, and a point on it.
 * @param {Point[]} corners
 * @param {Point} point
 * @param {Scale} x
 * @param {Scale} y
 */
export function curve(corners, point, x, y) {
    const at = (/** @type {Point} */ [across, up]) => [x.place(across) * SIDE, (1 - y.place(up)) * SIDE];
    const [cx, cy] = at(point);
    return svg`<polyline class="curve" points=${corners.map((corner) => at(corner).join(",")).join(" ")}/>
        <circle class="decided" cx=${cx} cy=${cy} r="6"/>`;
}

/** @param {number} share */
const percent = (share) => `${(100 * share).toFixed(2)}%`;
