/**
 * Registers the service worker, which keeps the page for visits without a network and, where the host cannot, sends the headers
 * that threads need: those hold from the next load on, so the page is loaded once more.
 */
const RELOADED = "catdog-reloaded";

async function start() {
    if (!("serviceWorker" in navigator)) return;
    try {
        await navigator.serviceWorker.register("service-worker.js");
        await navigator.serviceWorker.ready;
        if (self.crossOriginIsolated || sessionStorage.getItem(RELOADED)) return;
        sessionStorage.setItem(RELOADED, "1");
        location.reload();
    } catch {
        // storage is refused, as in a private window: it works as long as there is a network
    }
}

start();
