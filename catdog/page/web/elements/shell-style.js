// The look of the page around its tabs.
import { css } from "../vendor/lit.js";

export const shell = css`
    :host { display: flex; flex-direction: column; min-height: 100vh; min-height: 100dvh; }

    header {
        display: flex; align-items: center; gap: var(--space-4);
        width: 100%; max-width: calc(var(--page) + 2 * var(--gutter)); margin: 0 auto;
        padding: var(--space-3) var(--gutter);
    }
    .name {
        display: flex; align-items: center; gap: var(--space-2); min-height: var(--target);
        font-size: var(--text-l); font-weight: 700; letter-spacing: -0.02em; text-decoration: none;
    }
    .mark { width: 1.75rem; height: 1.75rem; }
    nav { flex: 1; display: flex; justify-content: center; }
    .language { margin-right: calc(-1 * var(--space-4)); font-weight: 500; white-space: nowrap; } /* its text ends where content does */

    .tabs { display: flex; gap: var(--space-1); }
    .tabs a {
        position: relative; display: flex; align-items: center; gap: var(--space-2); min-height: var(--target);
        padding: 0 var(--space-4); border-radius: var(--radius); color: var(--ink-soft); font-weight: 550;
        text-decoration: none; white-space: nowrap; transition: color var(--motion), background var(--motion);
    }
    .tabs a svg { width: 1.25rem; height: 1.25rem; flex: none; }
    .tabs a:hover { color: var(--ink); background: color-mix(in srgb, var(--ink) 4%, transparent); }
    .tabs a[aria-selected="true"] { color: var(--ink); background: color-mix(in srgb, var(--ink) 8%, transparent); }

    main {
        flex: 1; display: flex; flex-direction: column;
        width: 100%; max-width: calc(var(--page) + 2 * var(--gutter)); margin: 0 auto;
        padding: var(--space-4) var(--gutter) var(--space-6);
    }
    section { flex: 1; min-width: 0; }
    .failure { display: grid; gap: var(--space-4); place-items: center; padding: 15vh var(--space-4); text-align: center; }

    footer { padding: var(--space-4) var(--gutter); color: var(--ink-soft); font-size: var(--text-s); text-align: center; }

    .notices {
        position: fixed; z-index: 3; left: 0; right: 0; bottom: var(--space-4); padding: 0 var(--space-4); pointer-events: none;
    }
    .notices, .notices [role="status"] { display: grid; gap: var(--space-2); justify-items: center; }
    .notice {
        display: flex; align-items: center; gap: var(--space-2); max-width: 34rem; padding: var(--space-1) var(--space-1) var(--space-1) var(--space-4);
        border-radius: var(--radius); background: var(--accent); color: var(--on-accent); box-shadow: var(--shadow);
        pointer-events: auto; animation: rise var(--motion) ease-out;
    }
    .notice .button { color: inherit; }
    .notice .button:hover { background: color-mix(in srgb, currentColor 15%, transparent); }
    .loading {
        display: grid; gap: var(--space-2); width: 100%; max-width: 22rem; padding: var(--space-3) var(--space-4);
        border: 1px solid var(--line); border-radius: var(--radius); background: var(--raised); box-shadow: var(--shadow);
        font-size: var(--text-s); text-align: center; animation: appear var(--motion) 0.5s backwards; /* not for what comes at once */
    }
    @keyframes rise { from { opacity: 0; transform: translateY(0.5rem); } }

    .drop {
        position: fixed; z-index: 4; inset: 0; display: grid; place-items: center; padding: var(--space-4);
        background: color-mix(in srgb, var(--surface) 88%, transparent); pointer-events: none; animation: appear var(--motion);
    }
    .drop::before {
        content: ""; position: absolute; inset: var(--space-4); border: 3px dashed var(--line-strong); border-radius: calc(2 * var(--radius));
    }
    .drop > div { display: grid; gap: var(--space-2); justify-items: center; text-align: center; }
    .drop p:first-of-type { font-size: var(--text-xl); font-weight: 650; line-height: 1.2; }
    .drop .mark { width: 4.5rem; height: 4.5rem; }
    @keyframes appear { from { opacity: 0; } }

    /* A phone: the tabs are a bar under the thumb. */
    @media (max-width: 44rem) {
        header { flex-wrap: wrap; gap: 0 var(--space-4); padding-block: var(--space-1); justify-content: space-between; }
        nav {
            position: fixed; z-index: 2; left: 0; right: 0; bottom: 0; padding: 0 var(--space-1) env(safe-area-inset-bottom);
            background: var(--raised); border-top: 1px solid var(--line);
        }
        .tabs { flex: 1; gap: 0; min-width: 0; max-width: 34rem; }
        .tabs a {
            flex: 1 1 0; flex-direction: column; justify-content: center; gap: 2px; min-width: 0; min-height: 3.5rem; padding: 0;
            font-size: min(0.75rem, 4vw); border-radius: var(--radius-small); background: none !important;
        }
        .tabs a span { max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
        .tabs a[aria-selected="true"]::before {
            content: ""; position: absolute; top: -1px; width: 2rem; height: 3px; border-radius: 0 0 3px 3px; background: var(--accent);
        }
        main { padding-top: var(--space-1); padding-bottom: var(--space-5); }
        footer { padding-bottom: calc(3.5rem + var(--space-4) + env(safe-area-inset-bottom)); }
        .notices { bottom: calc(3.5rem + var(--space-3) + env(safe-area-inset-bottom)); }
    }
    @media (max-width: 60rem) { .tabs a svg { display: none; } }
    @media (max-width: 44rem) { .tabs a svg { display: block; } }

    @media (forced-colors: active) {
        .tabs a[aria-selected="true"] { outline: 2px solid Highlight; outline-offset: -2px; }
        .notice { border: 1px solid; }
    }
`;
