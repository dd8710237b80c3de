// <catdog-app>: the page around its tabs. It routes by the address's hash, hands on what is dropped or pasted, shows notices.
import { choose, chosen } from "./choice.js";
import { filesOf, hasFiles } from "./dropped.js";
import { controls } from "./elements/controls.js";
import { icons, mark } from "./elements/icons.js";
import { shell } from "./elements/shell-style.js";
import { engine } from "./engine/index.js";
import { LitElement, html, nothing, repeat } from "./vendor/lit.js";
import { Worded, language, numbered, onLanguage, setLanguage, startLanguage, t } from "./words.js";

/**
 * What a tab's element may define besides being an element.
 * @typedef {HTMLElement & {
 *   take?: (files: File[]) => void,
 *   several?: boolean,
 *   open?: (photo: {file: Blob, name: string, explanation?: object}) => void,
 *   shown?: () => void,
 *   left?: () => void,
 * }} Tab `several`: it takes more than one file at once
 */
/** @typedef {"photo" | "live" | "many" | "pets" | "accuracy" | "inside"} Name */

/** @type {Record<Name, () => Promise<unknown>>} Loaded when first opened. */
const TABS = {
    photo: () => import("./elements/photo-tab.js"),
    live: () => import("./elements/live-tab.js"),
    many: () => import("./elements/many-tab.js"),
    pets: () => import("./elements/pets-tab.js"),
    accuracy: () => import("./elements/accuracy-tab.js"),
    inside: () => import("./elements/inside-tab.js"),
};
const NAMES = /** @type {Name[]} */ (Object.keys(TABS));
const NOTICE_LASTS = 7000; // ms
const NOTICES = 3; // at once

/** @returns {Name} */
function named() {
    const name = /** @type {Name} */ (location.hash.slice(1).split("/")[0]);
    return NAMES.includes(name) ? name : "photo";
}

class CatdogApp extends Worded(LitElement) {
    static styles = [controls, shell];
    static properties = {
        active: { state: true },
        failed: { state: true },
        dragged: { state: true },
        notices: { state: true },
        loading: { state: true },
        elsewhere: { state: true },
    };

    constructor() {
        super();
        /** @type {Name} */
        this.active = named();
        /** @type {Set<Name>} tabs whose code did not arrive */
        this.failed = new Set();
        this.dragged = false;
        /** @type {{key: number, text: string}[]} */
        this.notices = [];
        /** @type {number | null} how much of the network has come, from 0 to 1 */
        this.loading = null;
        /** @type {string | null} the address of the same page with the other engine, where there is one */
        this.elsewhere = engine.where === "device" && chosen() === "device" ? "../" : null;
        /** @type {Map<Name, Tab>} */
        this.tabs = new Map();
        /** @type {Map<Name, number>} px, how far each tab was scrolled when it was left */
        this.scrolled = new Map();
        this.noticed = 0;
    }

    connectedCallback() {
        super.connectedCallback();
        window.addEventListener("hashchange", () => this.show(named()));
        window.addEventListener("dragenter", (event) => this.drag(event));
        window.addEventListener("dragover", (event) => this.drag(event));
        window.addEventListener("dragleave", (event) => {
            if (!event.relatedTarget) this.dragged = false; // it left the window
        });
        window.addEventListener("drop", (event) => this.drop(event));
        window.addEventListener("paste", (event) => this.paste(event));
        this.addEventListener("open-photo", (event) => this.openPhoto(/** @type {CustomEvent} */ (event).detail));
        this.addEventListener("teach-pet", (event) => this.hand("pets", /** @type {CustomEvent} */ (event).detail.files));
        this.addEventListener("open-many", (event) => this.hand("many", /** @type {CustomEvent} */ (event).detail.files));
        this.addEventListener("notice", (event) => this.notice(/** @type {CustomEvent} */ (event).detail.text));
        onLanguage(() => this.entitle());
        this.entitle();
        this.show(this.active).then(() => this.prepare());
    }

    /** Fetches the network once the page can be used, unless the visitor saves data: then it comes with the first photo. */
    prepare() {
        engine.onLoading = (share) => { this.loading = share; };
        engine.onWay = () => this.requestUpdate();
        const { connection } = /** @type {{connection?: {saveData?: boolean}}} */ (navigator);
        if (!connection?.saveData) engine.prepare?.();
        this.lookElsewhere();
    }

    /** Where the server offers the page without it too, whoever has chosen that goes there. */
    async lookElsewhere() {
        if (engine.where === "device") return;
        const about = await engine.about().catch(() => null); // the photo tab says so
        this.elsewhere = about?.elsewhere ?? null;
        if (this.elsewhere && chosen() === "device") location.replace(this.elsewhere + location.hash);
    }

    /**
     * Shows a tab, loading it the first time.
     * @param {Name} name
     * @returns {Promise<Tab | null>} null where its code did not arrive
     */
    async show(name) {
        const anew = name !== this.active;
        if (anew) {
            this.tabs.get(this.active)?.left?.();
            this.scrolled.set(this.active, window.scrollY);
            this.active = name;
            window.scrollTo(0, 0);
        }
        this.entitle();
        let tab = this.tabs.get(name);
        if (!tab) {
            try {
                // What is there is shown in the first frame: even a loaded module's promise may be kept a frame later.
                if (!customElements.get(`${name}-tab`)) await TABS[name]();
            } catch {
                this.failed = new Set(this.failed).add(name);
                return null;
            }
            tab = this.tabs.get(name) ?? /** @type {Tab} */ (document.createElement(`${name}-tab`));
            this.tabs.set(name, tab);
            this.failed.delete(name);
            this.requestUpdate();
        }
        await this.updateComplete;
        if (this.active !== name) return tab;
        if (anew) window.scrollTo(0, this.scrolled.get(name) ?? 0); // back to where one was
        tab.shown?.();
        return tab;
    }

    /**
     * Goes to a tab as a link would.
     * @param {Name} name
     */
    go(name) {
        if (named() !== name) history.pushState(null, "", `#${name}`);
        return this.show(name);
    }

    entitle() {
        document.title =
            this.active === "photo" ? t("app.title") : t("app.title-of", { part: t(`app.${this.active}`) });
    }

    /** @param {DragEvent} event */
    drag(event) {
        if (!hasFiles(event.dataTransfer)) return;
        event.preventDefault();
        this.dragged = true;
        if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    }

    /** @param {DragEvent} event */
    async drop(event) {
        this.dragged = false;
        if (!event.dataTransfer || !hasFiles(event.dataTransfer)) return;
        event.preventDefault();
        const { files, folder } = await filesOf(event.dataTransfer);
        if (files.length) this.receive(files, folder);
        else this.notice(t("app.nothing-dropped"));
    }

    /** @param {ClipboardEvent} event */
    paste(event) {
        const files = [...(event.clipboardData?.files ?? [])];
        const target = event.composedPath()[0];
        if (files.length) {
            event.preventDefault();
            this.receive(files, false);
        } else if (!(target instanceof HTMLElement && target.matches("input, textarea, [contenteditable]"))) {
            this.notice(t("app.nothing-pasted"));
        }
    }

    /**
     * One photo goes to the tab that is open, if it takes any, or to the photo tab; more go to Many.
     * @param {File[]} files
     * @param {boolean} folder
     */
    receive(files, folder) {
        if (!folder && this.tabs.get(this.active)?.several) {
            this.hand(this.active, files);
            return;
        }
        const many = folder || files.length > 1 || /\.zip$/i.test(files[0].name);
        if (!many) {
            this.hand(this.tabs.get(this.active)?.take ? this.active : "photo", files);
            return;
        }
        if (this.active !== "many" && files.length > 1) this.notice(t("app.to-many", { count: files.length }));
        this.hand("many", files);
    }

    /**
     * @param {Name} name
     * @param {File[]} files
     */
    async hand(name, files) {
        const tab = await this.go(name);
        window.scrollTo(0, 0);
        tab?.take?.(files);
    }

    /** @param {{file: Blob, name: string, explanation?: object}} photo */
    async openPhoto(photo) {
        const tab = await this.go("photo");
        window.scrollTo(0, 0);
        tab?.open?.(photo);
    }

    /** @param {string} text */
    notice(text) {
        const key = ++this.noticed;
        const others = this.notices.filter((notice) => notice.text !== text);
        this.notices = [...others, { key, text }].slice(-NOTICES);
        setTimeout(() => this.dismiss(key), NOTICE_LASTS + 40 * text.length);
    }

    /** @param {number} key */
    dismiss(key) {
        this.notices = this.notices.filter((notice) => notice.key !== key);
    }

    /** @param {KeyboardEvent} event */
    moveAmongTabs(event) {
        const place = NAMES.indexOf(this.active);
        const last = NAMES.length - 1;
        const next = {
            ArrowRight: place === last ? 0 : place + 1,
            ArrowLeft: place === 0 ? last : place - 1,
            Home: 0,
            End: last,
        }[event.key];
        if (next === undefined) return;
        event.preventDefault();
        this.go(NAMES[next]);
        /** @type {HTMLElement} */ (this.renderRoot.querySelector(`#tab-${NAMES[next]}`)).focus();
    }

    render() {
        return html`
            <header>
                <a class="name" href="#photo">${mark}<span>catdog</span></a>
                <nav>
                    <div class="tabs" role="tablist" aria-label=${t("app.tabs")} @keydown=${this.moveAmongTabs}>
                        ${NAMES.map((name) => this.renderTab(name))}
                    </div>
                </nav>
                <button class="button quiet language" lang=${language() === "en" ? "zh-CN" : "en"}
                    @click=${() => setLanguage(language() === "en" ? "zh" : "en")}>${t("words.other-language")}</button>
            </header>
            <main>
                ${NAMES.map(
                    (name) => html`<section id="panel-${name}" role="tabpanel" aria-labelledby="tab-${name}"
                        ?hidden=${name !== this.active}>${this.tabs.get(name) ?? nothing}${this.renderFailure(name)}</section>`,
                )}
            </main>
            <footer>${this.renderPrivacy()}</footer>
            <div class="notices">
                <div role="status">
                    ${repeat(
                        this.notices,
                        (notice) => notice.key,
                        (notice) => html`<div class="notice"><p>${notice.text}</p>
                            <button class="button quiet icon" aria-label=${t("app.close")}
                                @click=${() => this.dismiss(notice.key)}>${icons.close}</button></div>`,
                    )}
                </div>
                ${this.renderLoading()}
            </div>
            <div class="drop" ?hidden=${!this.dragged}>
                <div>${mark}<p>${t("app.drop")}</p><p class="soft small">${t("app.drop-many")}</p></div>
            </div>
        `;
    }

    renderPrivacy() {
        if (engine.where === "server") return html`<p>${t("app.privacy")} ${this.renderElsewhere("device")}</p>`;
        const threads = engine.way?.threads;
        const onIos = /** @type {{standalone?: boolean}} */ (navigator).standalone === false; // iOS alone says so
        return html`
            <p>${t("app.privacy-device")} ${threads ? t(numbered("app.way", threads), { threads }) : nothing}
                ${engine.way?.graphics ? t("app.way-graphics") : nothing}
                ${this.renderElsewhere("server")}</p>
            ${onIos ? html`<p>${t("app.install-ios")}</p>` : nothing}`;
    }

    /** @param {"server" | "device"} where */
    renderElsewhere(where) {
        if (!this.elsewhere) return nothing;
        return html`<a href=${this.elsewhere} @click=${() => choose(where)}>${t(`app.on-${where}`)}</a>`;
    }

    renderLoading() {
        if (this.loading === null) return nothing;
        const share = `${Math.floor(100 * this.loading)}%`;
        return html`<div class="loading">
            <p id="loading" class="number">${t("app.loading", { share })}</p>
            <progress max="1" .value=${this.loading} aria-labelledby="loading"></progress>
        </div>`;
    }

    /** @param {Name} name */
    renderTab(name) {
        const chosen = name === this.active;
        return html`<a id="tab-${name}" role="tab" href="#${name}" aria-selected=${chosen} aria-controls="panel-${name}"
            tabindex=${chosen ? 0 : -1}>${icons[name]}<span>${t(`app.${name}`)}</span></a>`;
    }

    /** @param {Name} name */
    renderFailure(name) {
        if (!this.failed.has(name)) return nothing;
        return html`<div class="failure"><p>${t("app.failed")}</p>
            <button class="button" @click=${() => location.reload()}>${t("app.retry")}</button></div>`;
    }
}

// Words and the first tab come before anything is drawn, so that nothing moves once it is.
await Promise.all([startLanguage(), TABS[named()]().catch(() => null)]);
customElements.define("catdog-app", CatdogApp);
