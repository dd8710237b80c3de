// Makes catdog/page/web/vendor/lit.js: Lit with the directives that the page uses, as one minified ES module.
import { copyFile } from "node:fs/promises";
import { build } from "esbuild";

const DIRECTIVES = ["class-map", "if-defined", "live", "ref", "repeat", "style-map", "until", "when"];
const vendor = new URL("../catdog/page/web/vendor/", import.meta.url);

await build({
    stdin: {
        contents: ["lit", ...DIRECTIVES.map((name) => `lit/directives/${name}.js`)]
            .map((module) => `export * from "${module}";`)
            .join("\n"),
        resolveDir: import.meta.dirname,
    },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2021",
    legalComments: "none", // the license stands beside it
    outfile: new URL("lit.js", vendor).pathname,
});
await copyFile(new URL("node_modules/lit/LICENSE", import.meta.url), new URL("LICENSE.lit", vendor));
