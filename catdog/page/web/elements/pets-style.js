// The look of the tab of the visitor's pets.
import { css } from "../vendor/lit.js";

export const look = css`
    .tab { display: grid; grid-template-columns: minmax(0, 1fr); gap: var(--space-5); max-width: 52rem; margin: 0 auto; }
    .welcome { display: grid; gap: var(--space-2); max-width: 36rem; }
    .welcome p { color: var(--ink-soft); }
    .row { display: flex; flex-wrap: wrap; align-items: center; gap: var(--space-2); }
    .button { position: relative; }
    .button:has(input:focus-visible) { outline: 3px solid var(--focus); outline-offset: 2px; }

    .card { display: grid; gap: var(--space-3); min-width: 0; padding: var(--space-4); border: 1px solid var(--line); border-radius: var(--radius); background: var(--raised); }
    .new .called { flex: 1 1 12rem; display: grid; gap: var(--space-1); font-weight: 550; }
    .new .row { align-items: end; }
    input.name {
        width: 100%; min-height: var(--target); padding: 0 var(--space-3); border: 1px solid var(--line-strong); border-radius: var(--radius);
        background: var(--surface);
    }
    .problem { padding: var(--space-2) var(--space-4); border-radius: var(--radius); background: var(--sunken); overflow-wrap: anywhere; }

    .pets { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: var(--space-3); list-style: none; }
    .pet { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: var(--space-2) var(--space-4); align-items: center; align-content: start; }
    .pet h2 { overflow-wrap: anywhere; }
    .pet .row, .pet .said { grid-column: 1 / -1; }
    .ring { width: 4rem; height: 4rem; }
    .ring circle { fill: none; stroke-width: 4; }
    .ring .whole { stroke: var(--line); }
    .ring .full { stroke-linecap: round; transform: rotate(-90deg); transform-origin: center; transition: stroke-dashoffset var(--motion); }
    .cat .full { stroke: var(--cat); }
    .dog .full { stroke: var(--dog); }
    .ring text { fill: var(--ink); font-size: 13px; font-weight: 650; text-anchor: middle; dominant-baseline: central; }

    .photos { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: var(--space-3); list-style: none; }
    .photos li { display: grid; gap: var(--space-1); align-content: start; font-size: var(--text-s); line-height: 1.35; }
    .photos .out evidence-view { opacity: 0.45; }
    .photos evidence-view { --max-height: 9rem; }
    .photos .blank svg { width: 1.5rem; height: 1.5rem; color: var(--ink-soft); }
    .photos .blank { display: grid; place-items: center; aspect-ratio: 4 / 3; border-radius: var(--radius); background: var(--sunken); }
    .camera { display: grid; gap: var(--space-3); }
    .camera video { width: 100%; max-height: 60vh; border-radius: var(--radius); background: var(--sunken); object-fit: contain; }
    .hold { touch-action: none; user-select: none; -webkit-user-select: none; }
    .hold.held { background: var(--cat-soft); color: var(--ink); border-color: var(--cat); }
    details p { max-width: 40rem; }
`;
