// What is dropped: files, and folders with folders in them.
import assert from "node:assert/strict";
import { test } from "node:test";

import { filesOf, hasFiles, pathOf } from "../../../catdog/page/web/dropped.js";

const file = (name, fullPath = `/${name}`) => ({
    ...{ name, fullPath, isFile: true, isDirectory: false },
    file: (found) => found(new File(["x"], name)),
});
const folder = (name, children, atOnce = 2) => ({
    name,
    isFile: false,
    isDirectory: true,
    createReader() {
        const left = [...children];
        return { readEntries: (found) => found(left.splice(0, atOnce)) };
    },
});
const transfer = (...entries) => ({
    items: entries.map((entry) => ({ kind: "file", webkitGetAsEntry: () => entry, getAsFile: () => null })),
});
const names = ({ files }) => files.map((file) => file.name);

test("the files of a folder come in the order of their names, as many as there are", async () => {
    const dropped = await filesOf(
        transfer(folder("pets", [file("10.jpg"), folder("more", [file("a.jpg")]), file("9.jpg"), file(".DS_Store")])),
    );
    assert.deepEqual(names(dropped), ["9.jpg", "10.jpg", "a.jpg"]);
    assert.equal(dropped.folder, true);
});

test("single files stay in the order of the drop", async () => {
    const dropped = await filesOf(transfer(file("b.jpg"), file("a.jpg")));
    assert.deepEqual(names(dropped), ["b.jpg", "a.jpg"]);
    assert.equal(dropped.folder, false);
});

test("text that is dropped is no file", async () => {
    const items = [{ kind: "string", webkitGetAsEntry: () => null, getAsFile: () => null }];
    assert.deepEqual(await filesOf({ items }), { files: [], folder: false });
    assert.equal(hasFiles({ types: ["text/plain"] }), false);
    assert.equal(hasFiles({ types: ["Files"] }), true);
});

test("a dropped file's path has the folders that it was found in", async () => {
    const dropped = await filesOf(transfer(folder("pets", [folder("more", [file("a.jpg", "/pets/more/a.jpg")])]), file("b.jpg")));
    assert.deepEqual(dropped.files.map(pathOf), ["pets/more/a.jpg", "b.jpg"]);
    assert.equal(pathOf(new File([], "c.jpg")), "c.jpg");
});
