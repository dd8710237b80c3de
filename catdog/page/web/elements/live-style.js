// The look of the live tab: beside the picture stands what is said of it; on a phone it lies over it.
import { css } from "../vendor/lit.js";

export const live = css`
    .live {
        display: grid; grid-template: "heading" "stage" "buttons" "note" / minmax(0, 1fr);
        gap: var(--space-3);
    }
    h1 { grid-area: heading; }
    .lead { grid-area: note; color: var(--ink-soft); }
    .off .note { grid-row: auto; }
    .stage {
        grid-area: stage; position: relative; overflow: hidden; display: grid; align-content: center;
        border-radius: var(--radius); background: var(--sunken);
    }
    .answer { grid-area: stage; }
    .buttons { grid-area: buttons; display: flex; gap: var(--space-2); }
    .note { grid-area: note; display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 var(--space-4); }
    .pace { white-space: nowrap; }

    evidence-view { --max-height: calc(100dvh - 14rem); }

    .invitation {
        display: flex; flex-direction: column; align-items: center; justify-content: center; gap: var(--space-4);
        width: 100%; min-height: min(24rem, 60dvh); padding: var(--space-5);
        border: 2px dashed var(--line-strong); border-radius: inherit; background: none; color: var(--ink);
        text-align: center; text-wrap: balance;
    }
    button.invitation { cursor: pointer; transition: background var(--motion); }
    button.invitation:hover { background: var(--raised); }
    .invitation > svg { width: 4rem; height: 4rem; color: var(--ink-soft); stroke-width: 1.2; }
    .invitation > :is(p, [role="alert"]) { max-width: 26rem; }
    :focus-visible.invitation { outline-offset: -5px; border-radius: var(--radius); }

    .problem {
        position: absolute; inset: var(--space-2) var(--space-2) auto; padding: var(--space-2) var(--space-3);
        border-radius: var(--radius-small); background: var(--raised); color: var(--ink);
    }

    .button[aria-pressed="true"] { background: var(--sunken); border-color: var(--ink); }

    @media (max-width: 52rem) {
        .on .stage { margin-inline: calc(-1 * var(--gutter)); border-radius: 0; }
        .answer {
            align-self: end; z-index: 1; margin: var(--space-2) calc(var(--space-2) - var(--gutter) / 2);
            padding: var(--space-2) var(--space-3); border-radius: var(--radius-small);
            background: color-mix(in srgb, var(--raised) 86%, transparent); backdrop-filter: blur(6px);
        }
        .buttons .primary { flex: 1; }
        .small-screen-icon { width: var(--target); padding: 0; }
        .small-screen-icon span { position: absolute; clip-path: inset(50%); white-space: nowrap; }
    }

    @media (min-width: 52.01rem) {
        .live {
            grid-template: "stage heading" auto "stage answer" 1fr "stage note" auto "buttons ." auto / minmax(0, 3fr) minmax(0, 2fr);
            gap: var(--space-3) var(--space-6);
        }
        .answer, .lead { grid-area: answer; }
        .invitation { min-height: min(32rem, 65dvh); }
    }
`;
