// The live tab: the camera's picture is the stage, with verdict and map following what it sees.
import { engine } from "../engine/index.js";
import { mine } from "../pets/mine.js";
import { LitElement, html, nothing, svg } from "../vendor/lit.js";
import { sentenceCode } from "../verdict.js";
import { Worded, t } from "../words.js";
import { Camera } from "./camera.js";
import { controls } from "./controls.js";
import "./evidence-view.js";
import { Following } from "./following.js";
import { icons } from "./icons.js";
import { live } from "./live-style.js";
import { Glide, Steady } from "./smoothing.js";
import "./verdict-panel.js";
import { whoCode } from "./who.js";

/** @typedef {import("../engine/types.js").Explanation} Explanation */

const STEP = 80; // ms between two pictures on the way from one answer to the next
const PACE = 500; // ms that a pace is shown for at least
const LATE = 600; // ms: answers that take longer are shown over their own frame, for the film has gone on meanwhile
const PROMPT = 400; // ms: those that take less are shown over the film again
const STILL = 150; // ms between two such frames
const STILL_SIDE = 480; // px, their short side
const WORDED = new Set(["offline", "busy", "slow"]); // of what an engine may answer, what a visitor can make use of
const NO_PETS = {};
const NARROW = "(max-width: 52rem)"; // as live-style.js

const mirrorIcon = html`<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.8"
    stroke-linecap="round" stroke-linejoin="round">${svg`<path d="M12 3v18M8.5 7v10H3zM15.5 7v10H21z"/>`}</svg>`;

export class LiveTab extends Worded(LitElement) {
    static properties = {
        phase: { state: true },
        problem: { state: true },
        still: { state: true },
        shown: { state: true },
        spoken: { state: true },
        pace: { state: true },
        mirrored: { state: true },
        several: { state: true },
        who: { state: true },
    };

    static styles = [controls, live];

    /** @type {Following | null} */
    #following = null;
    #glide = new Glide();
    #words = new Steady();
    #names = new Steady();
    #camera = new Camera(
        () => this.#onFrame(),
        (code) => this.#onCamera(code),
    );
    #timer = 0;
    #paced = 0;
    #late = false;
    #kept = 0;
    #focused = false; // the focus goes from the button that was pressed to the one in its place
    #returns = false; // the camera goes on by itself when the page is seen again

    constructor() {
        super();
        /** @type {"off" | "asking" | "on"} whether there is a picture, or the visitor is asked for one */
        this.phase = "off";
        /** @type {string | null} why there is no picture or no answer, as a code of live.* */
        this.problem = null;
        /** @type {HTMLCanvasElement | null} the frame that was answered, while answers are late; otherwise the film is shown */
        this.still = null;
        /** @type {Explanation | null} on its way to the newest answer */
        this.shown = null;
        /** @type {import("../engine/types.js").Prediction | null} what the sentence is of; it changes less than the bars */
        this.spoken = null;
        /** @type {{perSecond: number, milliseconds: number} | null} */
        this.pace = null;
        this.mirrored = true;
        this.several = false; // cameras to choose from
        /** The visitor's own pet that it is most like. @type {import("../pets/pets.js").Recognition | null} */
        this.who = null;
    }

    connectedCallback() {
        super.connectedCallback();
        document.addEventListener("visibilitychange", this.#onVisibility);
    }

    disconnectedCallback() {
        super.disconnectedCallback();
        document.removeEventListener("visibilitychange", this.#onVisibility);
        this.stop();
    }

    /** Another tab of the page is opened: only a touch starts the camera again. */
    left() {
        if (this.phase !== "off" || this.#returns) this.stop("away");
    }

    /** Nobody looks while the window is hidden. */
    #onVisibility = () => {
        if (document.hidden && this.phase === "on") {
            this.stop("away");
            this.#returns = true;
        } else if (!document.hidden && this.#returns) {
            this.start("away");
        }
    };

    /** @param {string} refused what a refusal is called; nobody refused who was not there */
    async start(refused = "refused") {
        this.#end();
        this.#onProblem(null);
        mine.openKept();
        if (this.phase === "off") this.phase = "asking"; // otherwise one camera is changed for another
        try {
            if (!(await this.#camera.open())) return; // stopped, or started again, meanwhile
        } catch (error) {
            const { code } = /** @type {import("./camera.js").CameraError} */ (error);
            this.stop(code === "refused" ? refused : code);
            return;
        }
        this.phase = "on";
        this.mirrored = this.#camera.facesVisitor;
        this.#following = new Following(
            engine,
            (answer, frame) => this.#onAnswer(answer, frame),
            (code) => this.#onProblem(code && !WORDED.has(code) ? "failed" : code),
            () => mine.some,
        );
        this.#onVisibility(); // the visitor may have left while being asked
        this.several = (await this.#camera.count()) > 1;
    }

    /** @param {string | null} problem */
    stop(problem = null) {
        this.#end();
        this.phase = "off";
        this.#onProblem(problem);
    }

    #end() {
        this.#camera.close();
        this.#following?.stop();
        this.#following = null;
        this.#returns = false;
        this.#forget();
    }

    /** What was said is true no longer. */
    #forget() {
        clearTimeout(this.#timer);
        this.#glide.forget();
        this.#words.forget();
        this.#names.forget();
        this.#late = false;
        this.shown = this.spoken = this.pace = this.still = this.who = null;
    }

    async change() {
        await this.#camera.chooseOther();
        this.start();
    }

    /** The picture of this moment becomes a photo. */
    async keep() {
        const name = `${t("live.file")}-${new Date().toISOString().slice(0, 19).replace(/\D/g, "-")}.jpg`;
        const file = new File([await this.#camera.photo()], name, { type: "image/jpeg" });
        this.dispatchEvent(new CustomEvent("open-photo", { detail: { file, name }, bubbles: true, composed: true }));
    }

    /** @param {string | null} code */
    #onCamera(code) {
        if (code === "unplugged") this.stop(code);
        else this.#onProblem(code);
    }

    /** @param {string | null} code */
    #onProblem(code) {
        this.problem = code;
        if (code) this.#forget();
    }

    /** A frame that may be answered late is kept, to be shown with its answer; a few a second are enough then. */
    #onFrame() {
        const now = performance.now();
        if (!this.#late) this.#following?.see(this.#camera.video);
        else if (now - this.#kept > STILL) {
            this.#kept = now;
            this.#following?.see(this.#camera.still(STILL_SIDE));
        }
    }

    /**
     * @param {Explanation} answer
     * @param {CanvasImageSource} frame
     */
    #onAnswer(answer, frame) {
        this.still = frame instanceof HTMLCanvasElement ? frame : null;
        if (this.still) this.#glide.forget(); // a picture and its map are shown together
        this.#glide.aim(answer);
        this.#step();
    }

    /** Go on towards the newest answer, and again a little later. */
    #step() {
        clearTimeout(this.#timer);
        const now = performance.now();
        this.shown = this.#glide.step(now);
        const prediction = /** @type {Explanation} */ (this.shown).prediction;
        const code = sentenceCode(prediction);
        if (this.#words.next(code, now) === code) this.spoken = prediction;
        const found = mine.recognized(/** @type {Explanation} */ (this.shown));
        const who = found ? `${found.known} ${found.name}` : "";
        if (this.#names.next(who, now) === who) this.who = found;
        if (now - this.#paced > PACE) {
            this.#paced = now;
            this.pace = this.#following?.pace() ?? null;
            if (this.pace) this.#late = this.pace.milliseconds > (this.#late ? PROMPT : LATE);
        }
        this.#timer = setTimeout(() => this.#step(), STEP);
    }

    /** @param {Map<string, unknown>} changed */
    willUpdate(changed) {
        if (changed.has("phase") && this.shadowRoot?.activeElement) this.#focused = true;
    }

    /** @param {Map<string, unknown>} changed */
    async updated(changed) {
        if (this.#focused && this.phase !== "asking") {
            this.#focused = false;
            /** @type {HTMLElement} */ (this.renderRoot.querySelector("button.invitation, [name=stop]")).focus();
        }
        if (changed.has("still")) {
            const view = /** @type {LitElement | null} */ (this.renderRoot.querySelector("evidence-view"));
            await view?.updateComplete;
            this.#camera.resume();
        }
    }

    render() {
        if (this.phase !== "on") {
            return html`<div class="live off">
                <h1>${t("live.heading")}</h1>
                <div class="stage">${this.#renderInvitation()}</div>
                <p class="lead">${t("live.lead")}</p>
            </div>`;
        }
        return html`<div class="live on">
            <h1 class="visually-hidden">${t("live.heading")}</h1>
            <div class="stage">${this.#renderPicture()}</div>
            ${this.#renderAnswer()} ${this.#renderButtons()}
            <p class="note soft small">
                <span>${t("live.privacy")}</span>
                ${this.pace && html`<span class="number">${t("live.pace", rounded(this.pace))}</span>`}
            </p>
        </div>`;
    }

    /** Before there is a picture, the whole stage is the camera's button. */
    #renderInvitation() {
        if (this.phase === "asking") {
            return html`<div class="invitation"><span class="spinner" aria-hidden="true"></span>
                <p role="status">${t("live.asking")}</p></div>`;
        }
        const again = this.problem && this.problem !== "away";
        return html`<button class="invitation" @click=${() => this.start()}>
            ${icons.live}
            ${this.problem && html`<span role="alert">${t(`live.${this.problem}`)}</span>`}
            <span class="button primary">${t(again ? "live.again" : "live.start")}</span>
            <span class="soft small">${t("live.privacy")}</span>
        </button>`;
    }

    #renderPicture() {
        const { video } = this.#camera;
        return html`<evidence-view show="both" ?mirrored=${this.mirrored} .picture=${this.still ?? video}
                .explanation=${this.shown} .boxes=${Boolean(this.who?.known)} .pets=${this.who?.known ? { [this.who.label]: this.who.name } : NO_PETS}></evidence-view>
            ${this.still && html`<div class="now ${this.mirrored ? "mirrored" : ""}">${video}</div>`}
            <div role="status">${this.problem && html`<p class="problem">${t(`live.${this.problem}`)}</p>`}</div>`;
    }

    #renderAnswer() {
        if (this.problem) return nothing;
        if (!this.shown || !this.spoken) return html`<p class="answer soft">${t("live.looking")}</p>`;
        return html`<div class="answer">
            <verdict-panel ?compact=${matchMedia(NARROW).matches} .prediction=${this.shown.prediction} .spoken=${this.spoken}
                .thresholds=${this.shown.thresholds}></verdict-panel>
            ${this.who ? html`<p class="who">${this.#say(this.who)}</p>` : nothing}
            <p class="visually-hidden" role="status">${t(sentenceCode(this.spoken))} ${this.who ? this.#say(this.who) : nothing}</p>
        </div>`;
    }

    /** @param {import("../pets/pets.js").Recognition} who */
    #say(who) {
        const alike = [...(mine.pets?.all.values() ?? [])].filter(({ label }) => label === who.label);
        return t(whoCode(who, alike.length), { name: who.name });
    }

    #renderButtons() {
        return html`<div class="buttons">
            <button class="button primary" name="keep" ?disabled=${!this.shown} @click=${this.keep}>${icons.camera}${t("live.keep")}</button>
            ${small("stop", icons.stop, () => this.stop())}
            ${this.several ? small("change", icons.turn, () => this.change()) : nothing}
            ${small("mirror", mirrorIcon, () => (this.mirrored = !this.mirrored), this.mirrored)}
        </div>`;
    }
}

/**
 * A button whose words are only read out where there is little room.
 * @param {string} name
 * @param {unknown} icon
 * @param {() => void} onClick
 * @param {boolean} [pressed] for one that is on or off
 */
const small = (name, icon, onClick, pressed) =>
    html`<button class="button" name=${name} title=${t(`live.${name}`)} aria-pressed=${pressed ?? nothing} @click=${onClick}>
        ${icon}<span>${t(`live.${name}`)}</span></button>`;

/** @param {{perSecond: number, milliseconds: number}} pace */
const rounded = ({ perSecond, milliseconds }) => ({
    answers: perSecond.toFixed(perSecond < 3 ? 1 : 0),
    milliseconds: Math.round(milliseconds),
});

customElements.define("live-tab", LiveTab);
