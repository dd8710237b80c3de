// The look of the live tab: beside the picture stands what is said of it; on a phone it lies over it.
import { css } from "../vendor/lit.js";

export const live = css`
    .live { display: grid; gap: var(--space-3); grid-template: "heading" "stage" "lead" / minmax(0, 1fr); }
    .on { grid-template-areas: "stage" "buttons" "note"; }
    h1 { grid-area: heading; }
    .lead { grid-area: lead; color: var(--ink-soft); }
    .stage { grid-area: stage; position: relative; border-radius: var(--radius); background: var(--sunken); }
    .answer { grid-area: stage; }
    .buttons { grid-area: buttons; display: flex; gap: var(--space-2); }
    .note { grid-area: note; display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 var(--space-2); }

    .invitation {
        display: flex; flex-direction: column; align-items: center; justify-content: center; gap: var(--space-4);
        width: 100%; min-height: max(18rem, min(32rem, 100dvh - 22rem)); padding: var(--space-5);
        border: 2px dashed var(--line-strong); border-radius: inherit; background: none; color: var(--ink);
        text-align: center; text-wrap: balance;
    }
    button.invitation { cursor: pointer; transition: background var(--motion); }
    button.invitation:hover { background: var(--raised); }
    .invitation > svg { width: 4rem; height: 4rem; color: var(--ink-soft); stroke-width: 1.2; }
    .invitation > :is(p, [role="alert"]) { max-width: 26rem; }
    .invitation:focus-visible { outline-offset: -5px; border-radius: var(--radius); }

    evidence-view { --max-height: calc(100dvh - 13rem); }
    .who { margin-top: var(--space-2); font-size: var(--text-l); font-weight: 600; overflow-wrap: anywhere; }
    .now {
        position: absolute; top: var(--space-2); right: var(--space-2); width: 22%; overflow: hidden;
        border: 2px solid white; border-radius: var(--radius-small);
    }
    .now.mirrored { transform: scaleX(-1); }
    .now video { width: 100%; }
    .problem {
        position: absolute; inset: var(--space-2) var(--space-2) auto; padding: var(--space-2) var(--space-3);
        border-radius: var(--radius-small); background: var(--raised); color: var(--ink);
    }
    .button[aria-pressed="true"] { background: var(--sunken); border-color: var(--ink); }

    @media (max-width: 52rem) {
        .on .stage { margin-inline: calc(-1 * var(--gutter)); border-radius: 0; --radius: 0; }
        .answer {
            --text-l: 1.125rem; --text-s: 0.8125rem;
            align-self: end; z-index: 1; margin-block: var(--space-2); padding: var(--space-2) var(--space-3);
            border-radius: var(--radius-small); background: color-mix(in srgb, var(--raised) 86%, transparent);
        }
        .buttons .primary { flex: 1; }
        .buttons .button:not(.primary) { width: var(--target); padding: 0; }
        .buttons .button:not(.primary) span { position: absolute; clip-path: inset(50%); white-space: nowrap; }
    }

    @media (min-width: 52.01rem) {
        .live {
            gap: var(--space-3) var(--space-6); grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
            grid-template-areas: "stage heading" "stage lead"; grid-template-rows: auto 1fr;
        }
        .on { grid-template-areas: "stage answer" "stage note" "buttons ."; grid-template-rows: 1fr auto auto; }
        .answer { grid-area: answer; }
    }
`;
