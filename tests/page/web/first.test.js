// The first page: what index.html has the browser fetch at once is what its script and the photo tab import.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const web = new URL("../../../catdog/page/web/", import.meta.url);

/** The addresses of a module and of all that it imports, but for what it imports later. */
function imported(address, found = new Set()) {
    if (found.has(address.href)) return found;
    found.add(address.href);
    const source = readFileSync(address, "utf8");
    for (const [, path] of source.matchAll(/^(?:import|export)\b[^"'`(]*?["'](\.[^"']+)["'];/gm)) {
        imported(new URL(path, address), found);
    }
    return found;
}

test("the modules of the first page are fetched at once, and no others", () => {
    const index = readFileSync(new URL("index.html", web), "utf8");
    const named = [...index.matchAll(/(?:modulepreload" href|module" src)="web\/\{\{digest\}\}\/([^"]+)"/g)];
    const needed = imported(new URL("elements/photo-tab.js", web), imported(new URL("app.js", web)));
    assert.deepEqual(
        named.map(([, path]) => path).sort(),
        [...needed].map((href) => href.slice(web.href.length)).sort(),
    );
});
