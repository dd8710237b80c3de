/** The look of the inside tab. */
import { css } from "../vendor/lit.js";

export const insideStyle = css`
    :host { max-width: 66rem; } /* begins where the page's other tabs do */
    h1 { margin-bottom: var(--space-2); }
    .lead { margin-bottom: var(--space-4); }
    section { margin-top: var(--space-6); }
    h2 { margin-bottom: var(--space-2); scroll-margin-top: var(--space-4); }
    h1:focus, h2:focus { outline: none; }
    .step {
        display: inline-grid; place-items: center; min-width: 1.6em; height: 1.6em; margin-right: var(--space-1); border-radius: 1em;
        background: var(--accent); color: var(--on-accent); font-size: 0.75em; vertical-align: 0.12em;
    }
    .steps { display: flex; flex-wrap: wrap; gap: var(--space-2); margin-top: var(--space-5); }
    @media (max-width: 44rem) { .steps { flex-wrap: nowrap; overflow-x: auto; scrollbar-width: none; } .steps .button { flex: none; } }
    .steps b { margin-right: var(--space-1); color: var(--ink-soft); font-variant-numeric: tabular-nums; }
    p { max-width: 65ch; }
    .segments { margin-top: var(--space-3); }

    .waiting { display: flex; gap: var(--space-3); align-items: center; min-height: 20rem; justify-content: center; max-width: none; }
    .problem { display: flex; flex-wrap: wrap; gap: var(--space-3); align-items: center; margin-top: var(--space-4); }

    .stages { display: grid; grid-template-columns: repeat(4, 1fr); gap: var(--space-3); margin: var(--space-4) 0 var(--space-2); list-style: none; }
    .stages p { margin-top: var(--space-2); line-height: 1.35; }
    .old cam-map { opacity: 0.4; transition: opacity var(--motion); }
    @media (max-width: 40rem) { .stages { grid-template-columns: 1fr 1fr; } }

    .choices { display: flex; flex-wrap: wrap; gap: 0 var(--space-4); }
    .beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: var(--space-4); margin-top: var(--space-4); }
    figcaption { margin-top: var(--space-2); line-height: 1.4; overflow-wrap: anywhere; }
    .empty {
        display: grid; place-content: center; justify-items: center; gap: var(--space-3); min-height: 14rem;
        padding: var(--space-4); border-radius: var(--radius); background: var(--sunken); text-align: center;
    }
    progress { width: 12rem; max-width: 100%; }

    .addition { display: grid; grid-template-columns: minmax(0, 1fr) auto minmax(0, 1fr) auto minmax(0, 1fr); gap: var(--space-2); margin: var(--space-4) 0 var(--space-3); max-width: 46rem; }
    .sign { padding-top: clamp(0.4rem, 5vw, 2.2rem); font-size: var(--text-l); color: var(--ink-soft); }
    .ramp { display: flex; gap: var(--space-2); align-items: center; color: var(--ink-soft); }
    .ramp .bar { width: 8rem; height: 0.6rem; border-radius: 1rem; background: linear-gradient(to right, black, rgb(110 110 110), white); border: 1px solid var(--line); }
    .ramp + p { margin-top: var(--space-1); }
    .diagram { display: block; width: min(26rem, 100%); margin: var(--space-3) 0; }
    .diagram path, .diagram rect, .diagram circle { fill: none; stroke: var(--ink); stroke-width: 1.5; }
    .diagram .head { fill: var(--ink); stroke: none; }
    .diagram text { fill: var(--ink); font-size: 15px; text-anchor: middle; }
`;
