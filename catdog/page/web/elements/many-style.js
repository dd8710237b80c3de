// The look of the many tab.
import { css } from "../vendor/lit.js";

export const look = css`
    .stage {
        display: grid; gap: var(--space-4); justify-items: center; align-content: center; min-height: min(26rem, 62vh); padding: var(--space-5) var(--space-4);
        border: 2px dashed var(--line); border-radius: calc(1.5 * var(--radius)); background: var(--raised); text-align: center;
    }
    .stage p { max-width: 34rem; text-wrap: balance; }
    .buttons { display: flex; flex-wrap: wrap; gap: var(--space-2); }
    .stage .buttons { justify-content: center; }
    .button { position: relative; }
    .button:has(input:focus-visible) { outline: 3px solid var(--focus); outline-offset: 2px; }

    .problems:not(:empty) { display: grid; gap: var(--space-1); }
    .problems p { padding: var(--space-2) var(--space-4); border-radius: var(--radius); background: var(--sunken); }

    .more { display: none; }
    .run { display: flex; flex-wrap: wrap; align-items: center; gap: var(--space-3) var(--space-4); margin-bottom: var(--space-4); }
    .told { flex: 1 1 12rem; min-width: 10rem; }
    #told { font-size: var(--text-l); font-weight: 650; line-height: 1.3; }
    progress { margin-top: var(--space-2); }

    .tools { display: flex; flex-wrap: wrap; align-items: center; gap: var(--space-2) var(--space-4); margin: var(--space-4) 0; }
    .chips { display: flex; flex: 1 1 20rem; flex-wrap: wrap; gap: var(--space-2); min-width: 0; }
    .chips label { position: relative; display: flex; cursor: pointer; }
    .chips input { position: absolute; inset: 0; margin: 0; opacity: 0; cursor: pointer; }
    .chips span {
        display: flex; align-items: center; min-height: var(--target); padding: 0 var(--space-4); white-space: nowrap;
        border: 1px solid var(--line); border-radius: calc(var(--target) / 2); background: var(--raised);
        transition: background var(--motion), border-color var(--motion);
    }
    .chips label:hover span { border-color: var(--line-strong); }
    .chips .cat { color: var(--cat-ink); }
    .chips .dog { color: var(--dog-ink); }
    .chips input:checked + span { border-color: var(--accent); background: var(--accent); color: var(--on-accent); font-weight: 600; }
    .chips input:focus-visible + span { outline: 3px solid var(--focus); outline-offset: 2px; }
    .order { display: flex; align-items: center; gap: var(--space-2); }

    .photos {
        display: grid; grid-template-columns: repeat(auto-fill, minmax(min(10.5rem, 44%), 1fr)); gap: var(--space-3);
        list-style: none;
    }
    .photos li { content-visibility: auto; contain-intrinsic-size: auto 11rem auto 19rem; border-radius: var(--radius); }

    /* A phone: the photos begin high up; the counts are one row that scrolls. */
    @media (max-width: 44rem) {
        .run { gap: var(--space-2); margin-bottom: 0; }
        .told { flex-basis: 8rem; min-width: 8rem; }
        .more { display: inline-flex; }
        .actions { display: none; width: 100%; }
        .actions.open { display: grid; }
        .tools { gap: var(--space-2); margin: var(--space-2) 0 var(--space-3); }
        .chips {
            flex: 1 0 100%; flex-wrap: nowrap; margin: 0 calc(-1 * var(--gutter)); padding: var(--space-1) var(--gutter); overflow-x: auto;
            scrollbar-width: none;
        }
        .chips span { padding: 0 var(--space-3); }
        .photos { gap: var(--space-2); }
    }

    @media (forced-colors: active) {
        .chips input:checked + span { outline: 2px solid Highlight; outline-offset: -3px; }
    }
`;
