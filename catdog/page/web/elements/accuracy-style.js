// The look of the accuracy tab.
import { css } from "../vendor/lit.js";

export const accuracyStyle = css`
    :host { max-width: 66rem; } /* begins where the page's other tabs do */
    h1 { margin-bottom: var(--space-5); }
    section { margin-top: var(--space-6); }
    h2 { margin-bottom: var(--space-4); }
    h3 { margin: var(--space-5) 0 var(--space-2); }
    h4 { margin: var(--space-4) 0 var(--space-1); }
    p { max-width: 65ch; }
    .lead { font-size: var(--text-l); }

    .simple { display: grid; gap: var(--space-5); grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); margin-bottom: var(--space-4); }
    .simple > div { display: flex; flex-wrap: wrap; gap: var(--space-4); align-items: center; }
    .simple p { flex: 1 1 8rem; font-size: var(--text-l); line-height: 1.35; text-wrap: balance; }
    .dots { flex: none; width: 6.25rem; height: auto; }
    .dots .right { fill: var(--ink); }
    .dots .wrong { fill: none; stroke: var(--line-strong); stroke-width: 1.2; }

    .fools { display: grid; gap: var(--space-4); grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); }
    .fools > div { display: flex; gap: var(--space-3); align-items: center; }
    .fools h3 { margin: 0; }
    .example {
        flex: none; padding: 0; border: 0; border-radius: var(--radius-small); background: none; overflow: hidden; cursor: pointer;
        transition: transform var(--motion);
    }
    .example:hover { transform: scale(1.04); }
    .example img { width: 4.5rem; height: 4.5rem; object-fit: cover; }

    .kinds { list-style: none; }
    .kinds li {
        display: grid; grid-template-columns: 1fr auto 3rem; align-items: center; gap: 0 var(--space-4);
        padding: var(--space-3) 0; border-top: 1px solid var(--line); min-height: 4rem;
    }
    .kinds .share { text-align: end; }
    .kinds .interval { grid-column: 1 / 3; }
    .kinds .example { grid-area: 1 / 3 / 3 / 4; }
    .kinds .example img { width: 3rem; height: 3rem; }

    .interval, .ticks { display: block; width: calc(100% - 12px); height: 16px; margin: 0 6px; overflow: visible; }
    .interval .axis { stroke: var(--line); stroke-width: 2; stroke-linecap: round; }
    .range { stroke: var(--line-strong); stroke-width: 5; stroke-linecap: round; }
    .interval circle { fill: var(--ink); }
    text { fill: var(--ink-soft); font-size: 12px; font-variant-numeric: tabular-nums; }
    .ticks text, .below { text-anchor: middle; }
    .left { text-anchor: end; }

    .experts { margin-top: var(--space-6); border-top: 1px solid var(--line); }
    .experts > summary { font-size: var(--text-l); min-height: 4rem; color: var(--ink); }
    .rates { list-style: none; }
    .rates li { display: grid; grid-template-columns: auto 1fr; gap: 0 var(--space-3); align-items: baseline; padding: var(--space-2) 0; }
    .rates .what, .rates svg { grid-column: 1 / -1; }
    .numbers { margin-top: var(--space-3); padding-left: 1.2em; }
    .numbers li { margin: var(--space-1) 0; max-width: 65ch; }

    .pair { display: grid; gap: 0 var(--space-6); grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 26rem)); }
    .pair figcaption, .across { font-size: var(--text-s); color: var(--ink-soft); }
    .plot + .across { margin-bottom: var(--space-3); }
    .across { text-align: end; }
    .plot { display: block; width: 100%; height: auto; overflow: visible; }
    .grid { stroke: var(--line); }
    .perfect { stroke: var(--ink-soft); stroke-dasharray: 4 4; }
    .plot .range { stroke-width: 2; opacity: 0.55; }
    .cat circle { fill: var(--cat); }
    .cat .range { stroke: var(--cat); }
    .dog circle { fill: var(--dog); }
    .dog .range { stroke: var(--dog); }
    .curve { fill: none; stroke: var(--ink); stroke-width: 2; stroke-linejoin: round; }
    .decided { fill: var(--surface); stroke: var(--ink); stroke-width: 2.5; }

    .wide { overflow-x: auto; margin-top: var(--space-3); }
    .pair > .wide { margin-top: 0; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: var(--text-s); }
    th, td { padding: var(--space-2) var(--space-3); text-align: end; }
    th { font-weight: 550; }
    tbody th, thead th:first-child, thead td, .text, .card th { text-align: start; }
    .wide > table th:first-child, .wide > table td:first-child { padding-left: 0; }
    tbody tr { border-top: 1px solid var(--line); }
    td.right, td.wrong { min-width: 3.5rem; border: 2px solid var(--surface); border-radius: var(--radius-small); }
    .shade-1 { background: color-mix(in srgb, var(--ink) 5%, var(--surface)); }
    .shade-2 { background: color-mix(in srgb, var(--ink) 12%, var(--surface)); }
    .shade-3 { background: color-mix(in srgb, var(--ink) 25%, var(--surface)); }
    .shade-4 { background: color-mix(in srgb, var(--ink) 80%, var(--surface)); color: var(--surface); }
    td.right { font-weight: 650; }
    .card { padding: 0 var(--space-4); border-left: 2px solid var(--line); }
    code { font-family: var(--mono); font-size: 0.92em; }

    @media (min-width: 56rem) {
        .rates li { grid-template-columns: 21rem minmax(8rem, 1fr) 4rem 16rem; padding: var(--space-1) 0; align-items: center; }
        .rates .what { grid-area: 1 / 1; font-size: var(--text-s); }
        .rates svg { grid-area: 1 / 2; }
    }
    @media (max-width: 30rem) { .kinds .share { font-size: var(--text-s); } }
    @media (forced-colors: active) {
        .interval circle, .dots .right { fill: CanvasText; }
        .range, .curve { stroke: CanvasText; }
    }
`;
