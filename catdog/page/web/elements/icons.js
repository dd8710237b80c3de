// Line icons, 24 units wide, drawn in the color of the text around them.
import { svg, html } from "../vendor/lit.js";

/** @param {unknown} lines */
const icon = (lines) => html`<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor"
    stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">${lines}</svg>`;

export const icons = {
    photo: icon(svg`<rect x="3" y="4.5" width="18" height="15" rx="3"/><circle cx="8.5" cy="9.5" r="1.6"/>
        <path d="m4 17 5-4.5 3.5 3 3-2.5 4.5 4"/>`),
    live: icon(svg`<rect x="2.5" y="6" width="13" height="12" rx="3"/><path d="m15.5 10.5 6-3.5v10l-6-3.5"/>`),
    many: icon(svg`<rect x="3" y="3" width="7.5" height="7.5" rx="2"/><rect x="13.5" y="3" width="7.5" height="7.5" rx="2"/>
        <rect x="3" y="13.5" width="7.5" height="7.5" rx="2"/><rect x="13.5" y="13.5" width="7.5" height="7.5" rx="2"/>`),
    pets: icon(svg`<circle cx="5.5" cy="10.5" r="1.9"/><circle cx="9.7" cy="6" r="2"/><circle cx="14.3" cy="6" r="2"/>
        <circle cx="18.5" cy="10.5" r="1.9"/><path d="M12 11c2.8 0 5.2 3.2 5.2 5.6 0 1.6-1.2 2.6-2.7 2.6-1 0-1.6-.5-2.5-.5s-1.5.5-2.5.5c-1.5
        0-2.7-1-2.7-2.6C6.8 14.2 9.2 11 12 11z"/>`),
    accuracy: icon(svg`<circle cx="12" cy="12" r="9"/><circle cx="12" cy="12" r="5"/>
        <circle cx="12" cy="12" r="1" fill="currentColor"/>`),
    inside: icon(svg`<path d="m12 3 9 4.5-9 4.5-9-4.5z"/><path d="m3 12 9 4.5 9-4.5"/><path d="m3 16.5 9 4.5 9-4.5"/>`),
    close: icon(svg`<path d="m6 6 12 12M18 6 6 18"/>`),
    camera: icon(svg`<path d="M4 8h3l1.6-2.5h6.8L17 8h3a1.5 1.5 0 0 1 1.5 1.5v8A1.5 1.5 0 0 1 20 19H4a1.5 1.5 0 0 1-1.5-1.5v-8A1.5
        1.5 0 0 1 4 8z"/><circle cx="12" cy="13" r="3.5"/>`),
    folder: icon(svg`<path d="M3 7.5A1.5 1.5 0 0 1 4.5 6h4l2 2.5h9A1.5 1.5 0 0 1 21 10v8a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18z"/>`),
    paste: icon(svg`<rect x="5" y="4.5" width="14" height="16" rx="2.5"/><path d="M9 4.5V3h6v3.5H9zM9 11.5h6M9 15.5h4"/>`),
    save: icon(svg`<path d="M12 4v11m-4.5-4.5L12 15l4.5-4.5M4.5 19.5h15"/>`),
    share: icon(svg`<path d="M12 15V3.5M8 7l4-3.5L16 7M6.5 11H5v9.5h14V11h-1.5"/>`),
    copy: icon(svg`<rect x="8.5" y="8.5" width="12" height="12" rx="2.5"/><path d="M15.5 5V4A1.5 1.5 0 0 0 14 2.5H4.5A1.5 1.5 0 0 0
        3 4v10a1.5 1.5 0 0 0 1.5 1.5H5.5"/>`),
    fullScreen: icon(svg`<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/>`),
    turn: icon(svg`<path d="M4 11a8 8 0 0 1 14-4.5L20 9M20 4v5h-5M20 13a8 8 0 0 1-14 4.5L4 15m0 5v-5h5"/>`),
    back: icon(svg`<path d="m14.5 5-7 7 7 7"/>`),
    forward: icon(svg`<path d="m9.5 5 7 7-7 7"/>`),
    stop: icon(svg`<rect x="6" y="6" width="12" height="12" rx="2"/>`),
    play: icon(svg`<path d="m8 5 11 7-11 7z"/>`),
    look: icon(svg`<circle cx="10.5" cy="10.5" r="6.5"/><path d="m15.5 15.5 5.5 5.5M8 10.5h5M10.5 8v5"/>`),
    check: icon(svg`<path d="m5 12.5 4.5 4.5L19 7.5"/>`),
};

// The mark: half a cat, half a dog.
export const mark = html`<svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
    <path d="M4 3l7 6h5v19h-4C7 28 3 23 3 17z" fill="var(--cat)"/>
    <path d="M16 9h4l2-4c4-1 7 2 7 6v8l-3-2c-1 7-4 11-10 11z" fill="var(--dog)"/>
    <circle cx="11" cy="17" r="1.8" fill="#fff"/><circle cx="21" cy="17" r="1.8" fill="#fff"/><path d="M13 22h6l-3 3z" fill="#fff"/>
</svg>`;
