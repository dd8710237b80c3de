/**
 * Keeps one version of the page, whole: all files of one build, by its digest. A new build comes into a cache of its own, and is
 * used once no window shows the old one, so that files of two builds never meet.
 */
const VERSION = "{{digest}}";
const SMALL = {{small}}; // kept at once
const LARGE = {{large}}; // kept as the page fetches them: they travel once, and only where they are needed
const CACHE = `catdog-${VERSION}`;
const HEADERS = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const address = (name) => new URL(name, self.registration.scope).href;
const known = new Set([...SMALL, ...LARGE].map(address));

self.addEventListener("install", (event) => event.waitUntil(keepSmall()));
self.addEventListener("activate", (event) => event.waitUntil(take()));
self.addEventListener("fetch", (event) => {
    const asked = event.request.url.split(/[?#]/)[0];
    if (event.request.method === "GET" && known.has(asked)) event.respondWith(answer(asked));
});

async function keepSmall() {
    const cache = await caches.open(CACHE);
    await cache.addAll(SMALL.map((name) => new Request(address(name), { cache: "reload" })));
}

async function take() {
    for (const name of await caches.keys()) {
        if (name.startsWith("catdog-") && name !== CACHE) await caches.delete(name);
    }
    await self.clients.claim();
}

async function answer(asked) {
    const cache = await caches.open(CACHE);
    const kept = await cache.match(asked);
    if (kept) return isolated(kept);
    const response = await fetch(asked, { cache: "reload" }); // not what the browser kept of an earlier build
    if (response.ok) cache.put(asked, response.clone()).catch(() => {}); // the device may be full
    return isolated(response);
}

function isolated(response) {
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
