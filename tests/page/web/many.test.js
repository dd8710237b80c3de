// Many photos: what is taken of files, folders and zips, in what order they are shown, and the table and zip made of them.
import assert from "node:assert/strict";
import { test } from "node:test";

import { number, tableOf } from "../../../catdog/page/web/many/csv.js";
import { fitsOneZip, placesOf, sortedZip } from "../../../catdog/page/web/many/folders.js";
import { arranged, countsOf, doubt, isDoubtful } from "../../../catdog/page/web/many/order.js";
import { photosAmong, withMore } from "../../../catdog/page/web/many/photos.js";
import { strFromU8, unzipSync, zipSync } from "../../../catdog/page/web/vendor/fflate.js";

/** A photo that is answered. */
function photo(path, verdict, cat, dog) {
    const open = async () => new File([`content of ${path}`], path);
    return { path, key: path, name: path, bytes: 10, open, prediction: { verdict, cat, dog }, size: [4, 3], problem: null };
}

/** One that could not be read. */
const broken = (path, problem = "damaged") => ({ ...photo(path, "cat", 0, 0), prediction: null, problem });
const paths = (photos) => photos.map(({ path }) => path);
const pathOf = (file) => file.path ?? file.name;

/** A file of a folder. */
function fileIn(path, content = "x") {
    return Object.assign(new File([content], path.slice(path.lastIndexOf("/") + 1)), { path });
}

test("a folder's pictures are taken, chosen files whatever they are called", async () => {
    const folder = ["a.jpg", "Thumbs.db", "._a.jpg", "b.HEIC", "movie.mp4", "@eaDir/a.jpg/t.jpg", "deep/c.png"];
    const files = [...folder.map((path) => fileIn(`holiday/${path}`)), new File(["x"], "notes.txt")];
    const { photos, refused } = await photosAmong(files, pathOf);
    assert.deepEqual(paths(photos), ["holiday/a.jpg", "holiday/b.HEIC", "holiday/deep/c.png", "notes.txt"]);
    assert.deepEqual(photos.map(({ name }) => name), ["a.jpg", "b.HEIC", "c.png", "notes.txt"]);
    assert.deepEqual(refused, []);
});

test("a zip's pictures stand in its place, and one that is refused keeps nothing else from being taken", async () => {
    const zip = new File([zipSync({ "in/a.jpg": new Uint8Array(5), "b.txt": new Uint8Array(5) })], "packed.ZIP");
    const files = [new File(["x"], "1.jpg"), zip, new File(["no zip"], "evil.zip"), new File(["x"], "2.jpg")];
    const { photos, refused } = await photosAmong(files, pathOf);
    assert.deepEqual(paths(photos), ["1.jpg", "packed.ZIP/in/a.jpg", "2.jpg"]);
    assert.deepEqual(refused, [{ name: "evil.zip", code: "damaged" }]);
    assert.equal((await photos[1].open()).name, "a.jpg");
});

test("the same folder again takes its own places, and what is new comes after it", async () => {
    const first = (await photosAmong([fileIn("a/1.jpg"), fileIn("a/2.jpg")], pathOf)).photos;
    const again = (await photosAmong([fileIn("a/2.jpg", "changed"), fileIn("a/3.jpg")], pathOf)).photos;
    const all = withMore(first, again);
    assert.deepEqual(all, [first[0], again[0], again[1]]);
});

test("two files of one name are two photos, unless they are the same file", async () => {
    const one = new File(["one"], "1.jpg", { lastModified: 1 });
    const other = new File(["another"], "1.jpg", { lastModified: 1 });
    const first = (await photosAmong([one, other], pathOf)).photos;
    assert.equal(withMore([], first).length, 2);
    assert.equal(withMore(first, (await photosAmong([other], pathOf)).photos).length, 2);
    const zip = zipSync({ "1.jpg": new Uint8Array(1), "2.jpg": new Uint8Array(1) });
    const twice = new TextDecoder("latin1").decode(zip).replaceAll("2.jpg", "1.jpg");
    const zipped = (await photosAmong([new File([Uint8Array.from(twice, (c) => c.charCodeAt(0))], "z.zip")], pathOf)).photos;
    assert.equal(withMore([], zipped).length, 2);
});

const PHOTOS = [
    broken("0.jpg"),
    photo("10.jpg", "dog", 0.01, 0.99),
    photo("9.jpg", "cat", 0.7, 0.1),
    photo("b.jpg", "both", 0.9, 0.8),
    photo("a.jpg", "neither", 0.45, 0),
    photo("c.jpg", "cat", 1, 0),
];

test("photos are shown in each order, those that cannot be read last", () => {
    const orders = {
        given: ["10.jpg", "9.jpg", "b.jpg", "a.jpg", "c.jpg", "0.jpg"],
        name: ["9.jpg", "10.jpg", "a.jpg", "b.jpg", "c.jpg", "0.jpg"],
        doubt: ["a.jpg", "9.jpg", "b.jpg", "10.jpg", "c.jpg", "0.jpg"],
        verdict: ["9.jpg", "c.jpg", "10.jpg", "b.jpg", "a.jpg", "0.jpg"],
    };
    for (const [order, expected] of Object.entries(orders)) assert.deepEqual(paths(arranged(PHOTOS, "", order)), expected, order);
});

test("counts say how many each choice shows", () => {
    const counts = countsOf(PHOTOS);
    assert.deepEqual(counts, { cat: 2, dog: 1, both: 1, neither: 1, unreadable: 1, doubtful: 3 });
    for (const [kind, count] of Object.entries(counts)) assert.equal(arranged(PHOTOS, kind, "given").length, count, kind);
});

test("doubt is largest where a probability is a half", () => {
    const of = (cat, dog) => doubt(photo("a", "cat", cat, dog));
    assert.equal(of(1, 0), 0);
    assert.equal(of(0.5, 0), 1);
    assert.equal(of(0.99, 0.5), 1);
    assert.ok(of(0.9, 0) < of(0.7, 0));
    assert.ok(isDoubtful(photo("a", "neither", 0.2, 0)) && isDoubtful(photo("a", "both", 1, 0.8)));
    assert.ok(!isDoubtful(photo("a", "neither", 0.19, 0)) && !isDoubtful(broken("a")));
});

test("the table has predict.py's columns, a row for each photo, and no formula", () => {
    const names = ["=cmd()+1.jpg", "-1.jpg", "+1.jpg", "@a.jpg", "\ta.jpg", "猫.jpg", "a=b.jpg", 'a,"b".jpg'];
    const table = tableOf([...names.map((name) => photo(name, "dog", 0.25, 1)), broken("x.jpg", "empty")], (code) => `${code}, it says`);
    const lines = table.split("\r\n");
    assert.equal(lines[0], "\ufeffpath,verdict,cat,dog,error");
    assert.deepEqual(lines.slice(1, 9).map((line) => line.replace(",dog,0.25,1.0,", "")), [
        "'=cmd()+1.jpg", "'-1.jpg", "'+1.jpg", "'@a.jpg", "'\ta.jpg", "猫.jpg", "a=b.jpg", '"a,""b"".jpg"',
    ]);
    assert.deepEqual(lines.slice(9), ['x.jpg,,,,"empty, it says"', ""]);
});

test("probabilities have every digit, as Python writes them", () => {
    const written = { 0: "0.0", 1: "1.0", 0.5: "0.5", 0.1: "0.1", 0.0001: "0.0001", 5e-5: "5e-05", 1.25e-7: "1.25e-07", 3e-12: "3e-12" };
    for (const [value, text] of Object.entries(written)) assert.equal(number(Number(value)), text);
});

test("names are kept in the folders, and numbered where two would be one", () => {
    const same = [
        photo("x/a.jpg", "cat", 1, 0), photo("y/A.jpg", "cat", 1, 0), photo("z.zip/a.jpg", "cat", 1, 0),
        photo("x/a (2).jpg", "cat", 1, 0), photo("a.jpg", "dog", 0, 1), photo("noending", "both", 1, 1), photo("noending", "both", 1, 1),
        broken("a.jpg"), photo(".jpg", "neither", 0, 0),
    ];
    assert.deepEqual(placesOf(same).map(([place]) => place), [
        "cat/a.jpg", "cat/A (2).jpg", "cat/a (3).jpg", "cat/a (2) (2).jpg", "dog/a.jpg", "both/noending", "both/noending (2)",
        "unreadable/a.jpg", "neither/.jpg",
    ]);
});

test("the sorted zip holds the photos as they are, and says which are gone", async () => {
    const gone = { ...photo("gone.jpg", "dog", 0, 1), open: async () => Promise.reject(new Error("gone")) };
    const steps = [];
    const { zip, missing } = await sortedZip([photo("猫.jpg", "cat", 1, 0), gone, broken("b.jpg")], {
        onProgress: (done) => steps.push(done),
        signal: new AbortController().signal,
    });
    const contents = unzipSync(new Uint8Array(await zip.arrayBuffer()));
    assert.deepEqual(Object.keys(contents), ["cat/猫.jpg", "unreadable/b.jpg"]);
    assert.equal(strFromU8(contents["cat/猫.jpg"]), "content of 猫.jpg");
    assert.equal(missing, 1);
    assert.deepEqual(steps, [1, 2, 3]);
});

test("the sorted zip can be given up, and is not begun where it would be too large", async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(sortedZip([photo("a.jpg", "cat", 1, 0)], { onProgress() {}, signal }), { name: "AbortError" });
    assert.ok(fitsOneZip([{ ...PHOTOS[1], bytes: 4e9 }]));
    assert.ok(!fitsOneZip([{ ...PHOTOS[1], bytes: 4e9 }, { ...PHOTOS[2], bytes: 3e8 }]));
});
