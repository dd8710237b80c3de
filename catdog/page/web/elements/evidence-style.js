/** The look of the picture with evidence over it. */
import { css } from "../vendor/lit.js";

export const evidenceStyle = css`
    .stage { display: flex; justify-content: center; align-items: center; }
    .frame {
        position: relative; flex: none; overflow: hidden; border-radius: var(--radius); background: var(--sunken);
        aspect-ratio: var(--ratio); width: min(100%, var(--max-height, 80vh) * var(--ratio)); forced-color-adjust: none;
    }
    .frame:focus-visible { outline: none; border-radius: var(--radius); }
    .frame:focus-visible::after {  /* inside, where nobody cuts it off, and over any photo */
        content: ""; position: absolute; z-index: 2; inset: 0; border: 3px solid var(--focus); border-radius: inherit;
        outline: 2px solid white; outline-offset: -5px;
    }
    .layers { position: absolute; inset: 0; isolation: isolate; }
    .layers > * { position: absolute; }
    .picture, video { inset: 0; width: 100%; height: 100%; }
    .gray { background: gray; mix-blend-mode: saturation; }
    .seen { box-shadow: 0 0 0 200vmax var(--unseen); }
    .mirrored .layers, .mirrored .name { transform: scaleX(-1); }
    .readable .frame { cursor: crosshair; touch-action: pan-y pinch-zoom; }

    .box { border: 2px solid rgb(var(--color)); border-radius: 3px; box-shadow: 0 0 0 1px rgb(255 255 255 / 0.5); }
    .name {
        position: absolute; z-index: 1; inset-block-start: -2px; inset-inline-start: -2px; padding: 0 0.5em; border-radius: 3px 0;
        background: rgb(var(--color)); color: var(--on-color); font-size: var(--text-s); font-weight: 600; line-height: 1.6;
        white-space: nowrap;
    }
    .name.far { inset-inline: auto -2px; border-radius: 0 3px; }
    .name.low { inset-block: auto -2px; }
    .place { border: 2px solid white; border-radius: 2px; box-shadow: 0 0 0 1px rgb(0 0 0 / 0.7), inset 0 0 0 1px rgb(0 0 0 / 0.7); }

    .caption { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 var(--space-3); margin-top: var(--space-2); }
    .caption.early { visibility: hidden; } /* it keeps its place until there is a map */
    .caption p { flex: 1 1 12rem; min-height: 1.5em; color: var(--ink-soft); font-size: var(--text-s); }

    .close { display: none; position: absolute; z-index: 1; top: var(--space-3); right: var(--space-3); }
    .full.stage { position: fixed; inset: 0; width: auto; height: auto; margin: 0; padding: 0; border: 0; background: black; }
    .full .frame { border-radius: 0; width: min(100vw, 100vh * var(--ratio)); width: min(100vw, 100dvh * var(--ratio)); }
    .full .close { display: inline-flex; }
`;
