/**
 * Registers the service worker, which keeps the page for visits without a network and, where the host cannot, sends the headers
 * that threads need: those hold from the next load on, so the page is loaded once more, unless somebody uses it by then.
 */
const RELOADED = "catdog-reloaded";
const PATIENCE = 8000; // ms: whose line is slow, or whose storage is full, has the page as it is
const USES = ["pointerdown", "keydown", "dragenter", "paste"];

const used = new Promise((resolve) => {
    for (const use of USES) addEventListener(use, () => resolve(true), { capture: true, once: true });
});

/** Kept once it is sure that the page stays. */
export const started = Promise.race([used, start()]);

async function start() {
    if (!("serviceWorker" in navigator)) return;
    try {
        await navigator.serviceWorker.register("service-worker.js");
        const late = new Promise((resolve) => setTimeout(resolve, PATIENCE));
        if (!(await Promise.race([navigator.serviceWorker.ready, late]))) return;
        if (self.crossOriginIsolated || sessionStorage.getItem(RELOADED)) return;
        sessionStorage.setItem(RELOADED, "1");
    } catch {
        return; // storage is refused, as in a private window: it works as long as there is a network
    }
    if (await Promise.race([used, false])) return;
    location.reload();
    await new Promise(() => {}); // nothing more happens here
}
