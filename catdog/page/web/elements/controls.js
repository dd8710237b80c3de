// The look of buttons, groups, toggles and folds, shared by every element: static styles = [controls, css`...`].
import { css } from "../vendor/lit.js";

export const controls = css`
    *, ::before, ::after { box-sizing: border-box; }
    :host { display: block; }
    :host([hidden]), [hidden] { display: none !important; }

    h1, h2, h3, p, figure, fieldset, ul, ol, dl, dd { margin: 0; padding: 0; border: 0; }
    h1, h2, h3 { line-height: 1.2; font-weight: 650; letter-spacing: -0.01em; text-wrap: balance; }
    h1 { font-size: var(--text-xl); }
    h2 { font-size: var(--text-l); }
    h3 { font-size: var(--text-m); }
    a { color: inherit; text-underline-offset: 0.2em; text-decoration-color: var(--line-strong); }
    a:hover { text-decoration-color: currentColor; }
    img, canvas, video { display: block; max-width: 100%; }
    button, input, select { font: inherit; color: inherit; }

    .soft { color: var(--ink-soft); }
    .small { font-size: var(--text-s); }
    .number { font-variant-numeric: tabular-nums; }
    .visually-hidden {
        position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden;
        clip-path: inset(50%); white-space: nowrap;
    }

    :focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: var(--radius-small); }

    /* <button class="button">, "button primary", "button quiet", "button icon" (a square with an svg and an aria-label) */
    .button {
        display: inline-flex; align-items: center; justify-content: center; gap: var(--space-2);
        min-height: var(--target); padding: var(--space-2) var(--space-4);
        border: 1px solid var(--line-strong); border-radius: var(--radius);
        background: var(--raised); color: var(--ink);
        font-weight: 550; text-align: center; text-decoration: none; cursor: pointer;
        transition: background var(--motion), border-color var(--motion), color var(--motion);
    }
    .button:hover { background: var(--sunken); }
    .button:active { background: var(--line); }
    .button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
    .button.primary:hover { background: color-mix(in srgb, var(--accent) 86%, var(--surface)); }
    .button.quiet { background: transparent; border-color: transparent; }
    .button.quiet:hover { background: var(--sunken); }
    .button.icon { width: var(--target); padding: 0; }
    .button:disabled { opacity: 0.5; cursor: default; }
    .button svg, .icon svg { width: 1.25em; height: 1.25em; flex: none; }

    /* One of a few: <fieldset class="segments"><legend class="visually-hidden">…</legend>
       <label><input type="radio" name="show" value="cat"><span>Cat</span></label>…</fieldset> */
    .segments {
        display: inline-flex; flex-wrap: wrap; max-width: 100%; padding: 3px; gap: 2px;
        border-radius: var(--radius); background: var(--sunken); box-shadow: inset 0 0 0 1px var(--line);
    }
    .segments label { position: relative; display: flex; flex: 1 0 auto; cursor: pointer; }
    .segments input { position: absolute; inset: 0; margin: 0; opacity: 0; cursor: pointer; }
    .segments span {
        flex: 1; display: flex; align-items: center; justify-content: center; gap: var(--space-1);
        min-height: calc(var(--target) - 6px); padding: 0 var(--space-3);
        border-radius: calc(var(--radius) - 3px); color: var(--ink-soft); white-space: nowrap;
        transition: background var(--motion), color var(--motion);
    }
    .segments label:hover span { color: var(--ink); }
    .segments input:checked + span {
        background: var(--raised); color: var(--ink); font-weight: 600; box-shadow: 0 0 0 1px var(--line);
    }
    .segments input:focus-visible + span { outline: 3px solid var(--focus); outline-offset: 2px; }
    .segments input:disabled + span { opacity: 0.5; }

    /* On or off: <label class="toggle"><input type="checkbox" role="switch"><span>Boxes</span></label> */
    .toggle { display: inline-flex; align-items: center; gap: var(--space-2); min-height: var(--target); cursor: pointer; }
    .toggle input {
        appearance: none; flex: none; position: relative; width: 2.5rem; height: 1.5rem; margin: 0; cursor: pointer;
        border: 1px solid var(--line-strong); border-radius: 1rem; background: var(--sunken);
        transition: background var(--motion), border-color var(--motion);
    }
    .toggle input::before {
        content: ""; position: absolute; top: 50%; left: 0.2rem; width: 1rem; height: 1rem; border-radius: 50%;
        background: var(--line-strong); transform: translateY(-50%); transition: left var(--motion), background var(--motion);
    }
    .toggle input:checked { background: var(--accent); border-color: var(--accent); }
    .toggle input:checked::before { left: 1.2rem; background: var(--on-accent); }
    .toggle input:focus-visible { border-radius: 1rem; }

    /* A value on a line: <label class="slider"><span>Opacity</span><input type="range"></label> */
    .slider { display: flex; align-items: center; gap: var(--space-3); min-height: var(--target); }
    input[type="range"] { flex: 1; min-width: 6rem; height: var(--target); margin: 0; accent-color: var(--accent); cursor: pointer; }

    select {
        min-height: var(--target); max-width: 100%; padding: 0 var(--space-3);
        border: 1px solid var(--line-strong); border-radius: var(--radius); background: var(--raised);
    }

    /* More, one level down: <details class="fold"><summary>More</summary>…</details> */
    .fold > summary {
        display: flex; align-items: center; gap: var(--space-2); min-height: var(--target); width: fit-content;
        padding-right: var(--space-2); color: var(--ink-soft); font-weight: 550; cursor: pointer; list-style: none;
    }
    .fold > summary::-webkit-details-marker { display: none; }
    .fold > summary::before {
        content: ""; width: 0.5em; height: 0.5em; margin: 0 0.2em; border: solid currentColor; border-width: 0 2px 2px 0;
        transform: rotate(-45deg); transition: transform var(--motion);
    }
    .fold[open] > summary::before { transform: rotate(45deg); }
    .fold > summary:hover { color: var(--ink); }

    /* How far something is: <progress max="1" value="0.5" aria-labelledby="…"> */
    progress {
        display: block; width: 100%; height: 6px; overflow: hidden; appearance: none;
        border: 0; border-radius: 3px; background: var(--sunken); color: var(--accent);
    }
    progress::-webkit-progress-bar { background: var(--sunken); }
    progress::-webkit-progress-value { border-radius: 3px; background: var(--accent); transition: width var(--motion); }
    progress::-moz-progress-bar { background: var(--accent); }

    /* Waiting: <span class="spinner" aria-hidden="true"></span> */
    .spinner {
        display: inline-block; width: 1.25em; height: 1.25em; border-radius: 50%;
        border: 2px solid var(--line-strong); border-top-color: transparent; animation: spin 0.8s linear infinite;
    }
    @keyframes spin { to { transform: rotate(1turn); } }
    @media (prefers-reduced-motion: reduce) { .spinner { animation-duration: 4s; } }

    @media (forced-colors: active) {
        .segments input:checked + span { outline: 2px solid Highlight; outline-offset: -2px; }
        .segments input:focus-visible + span { outline: 3px solid Highlight; outline-offset: 2px; }
        .toggle input:checked { forced-color-adjust: none; background: Highlight; }
        .spinner { border-color: CanvasText; border-top-color: Canvas; }
    }
`;
