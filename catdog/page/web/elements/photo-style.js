/** The look of the photo tab. */
import { css } from "../vendor/lit.js";

export const style = css`
    .tab { display: grid; grid-template-columns: minmax(0, 1fr); gap: var(--space-4); }
    .welcome { display: grid; gap: var(--space-2); max-width: 34rem; }
    .welcome h1 { word-break: keep-all; } /* Chinese is broken at its commas */
    .welcome p { color: var(--ink-soft); }
    .stage { position: relative; min-width: 0; }
    .showing > photo-source, .showing > example-strip { animation: arrive var(--motion) 0.4s backwards; } /* at another place, once the photo has its own */
    @keyframes arrive { from { opacity: 0; } }
    demo-stage:not(:defined) { display: block; height: calc(var(--demo-height) + 6.5rem + var(--space-3)); }
    .progress {
        position: absolute; z-index: 1; top: calc(-1 * var(--space-2)); left: 0; right: 0; height: 3px; overflow: hidden; border-radius: 3px; background: var(--line);
    }
    .progress::before { content: ""; display: block; width: 35%; height: 100%; border-radius: 3px; background: var(--accent); animation: pass 1.1s ease-in-out infinite; }
    @keyframes pass { from { transform: translateX(-100%); } to { transform: translateX(300%); } }
    .problem {
        display: flex; flex-wrap: wrap; align-items: center; gap: var(--space-2) var(--space-3); padding: var(--space-3) var(--space-4);
        border: 1px solid var(--line-strong); border-radius: var(--radius); background: var(--raised);
    }
    .showing > .problem { order: -1; } /* above the answer that stays, or a phone would not show it */
    .problem p { flex: 1 1 14rem; overflow-wrap: anywhere; }

    .caveat { margin-top: var(--space-4); color: var(--ink-soft); font-size: var(--text-s); }

    @media (min-width: 44.01rem) {
        .tab:not(.showing) {
            grid-template: "stage welcome" auto "stage problem" auto "stage source" 1fr "strip strip" auto / minmax(0, 3fr) minmax(0, 2fr);
            column-gap: var(--space-6);
        }
        .tab:not(.showing) .stage { grid-area: stage; --demo-height: min(26rem, 52vh); }
        .welcome { grid-area: welcome; align-self: end; padding-top: var(--space-5); }
        .tab:not(.showing) .problem { grid-area: problem; }
        .tab:not(.showing) photo-source { grid-area: source; }
        .tab:not(.showing) example-strip { grid-area: strip; }
    }
    @media (max-width: 44rem) {
        .tab { gap: var(--space-3); }
        .tab:not(.showing) .stage { order: 3; --demo-height: 12rem; }
        .tab:not(.showing) photo-source { order: 1; }
        .tab:not(.showing) example-strip { order: 2; }
    }
    @media (prefers-reduced-motion: reduce) { .progress::before { width: 100%; animation: none; opacity: 0.5; } }
`;
