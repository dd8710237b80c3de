// Zips that visitors hand over.
import assert from "node:assert/strict";
import test from "node:test";
import { LIMITS, picturesIn } from "../../../catdog/page/web/many/archive.js";
import { strToU8, zipSync } from "../../../catdog/page/web/vendor/fflate.js";

const PHOTO = Uint8Array.from({ length: 3000 }, (_, place) => (place * place) % 251);
const HEADER = [0x50, 0x4b, 3, 4]; // of one file
const LISTED = [0x50, 0x4b, 1, 2]; // of the same in the list of contents

/** @param {Record<string, any>} contents */
const zipped = (contents, options = {}) => zipSync(contents, { level: 0, ...options });

/** @param {Uint8Array} bytes @param {number[]} part */
function find(bytes, part, from = 0) {
    for (let at = from; at < bytes.length; at++) if (part.every((byte, place) => bytes[at + place] === byte)) return at;
    throw new Error("not found");
}

/** @param {Uint8Array} bytes */
async function refusal(bytes, limits = LIMITS) {
    const error = await picturesIn(new Blob([bytes]), limits).then(
        () => assert.fail("it was opened"),
        (error) => error,
    );
    return error.code;
}

/** @param {Uint8Array} bytes @param {number} number how many bytes each member states */
function stating(bytes, number) {
    const lying = bytes.slice();
    const view = new DataView(lying.buffer);
    view.setUint32(find(lying, HEADER) + 22, number, true);
    view.setUint32(find(lying, LISTED) + 24, number, true);
    return lying;
}

/** @param {{open: () => Promise<File>}} member */
const contentOf = async (member) => new Uint8Array(await (await member.open()).arrayBuffer());

for (const level of /** @type {const} */ ([0, 6])) {
    test(`pictures are found in order and read, other files left out (level ${level})`, async () => {
        const contents = {
            "b/2.jpg": PHOTO,
            "a.JPG": strToU8("another"),
            "notes.txt": PHOTO,
            "__MACOSX/a.JPG": PHOTO,
            "b/._2.jpg": PHOTO,
            "@eaDir/a.JPG/thumb.jpg": PHOTO,
            "猫/": new Uint8Array(),
            "猫/三.png": PHOTO,
        };
        const members = await picturesIn(new Blob([zipped(contents, { level })]));
        assert.deepEqual(
            members.map(({ name, size }) => [name, size]),
            [["b/2.jpg", 3000], ["a.JPG", 7], ["猫/三.png", 3000]],
        );
        assert.deepEqual(await contentOf(members[0]), PHOTO);
        assert.equal((await members[2].open()).name, "三.png");
    });
}

test("a zip behind something else, or with a comment, is read", async () => {
    const zip = zipped({ "a.jpg": PHOTO });
    const commented = new Uint8Array([...zip, ...strToU8("no PK here")]);
    new DataView(commented.buffer).setUint16(zip.length - 2, 10, true);
    const [member] = await picturesIn(new Blob([strToU8("#!/bin/sh\n"), commented]));
    assert.deepEqual(await contentOf(member), PHOTO);
});

test("a name that Windows wrote in Chinese is read", async () => {
    const zip = zipped({ "mm.jpg": PHOTO });
    for (const place of [find(zip, HEADER) + 30, find(zip, LISTED) + 46]) zip.set([0xb9, 0xb7], place); // 狗 in GBK
    assert.equal((await picturesIn(new Blob([zip])))[0].name, "狗.jpg");
});

for (const name of ["../evil.jpg", "/etc/evil.jpg", "a/../../evil.jpg", "..\\evil.jpg", "C:/evil.jpg"]) {
    test(`a zip that names a file outside of itself is refused: ${name}`, async () => {
        assert.equal(await refusal(zipped({ "fine.jpg": PHOTO, [name]: PHOTO })), "names");
    });
}

test("a zip of zips is refused", async () => {
    assert.equal(await refusal(zipped({ "a.jpg": PHOTO, "more/inner.ZIP": zipped({ "b.jpg": PHOTO }) })), "nested");
});

test("a picture that unpacks to far more than it is packed is refused", async () => {
    const bomb = zipped({ "a.bmp": new Uint8Array(4 * 2 ** 20) }, { level: 9 });
    assert.ok(bomb.length < 10_000);
    assert.equal(await refusal(bomb), "bomb");
});

test("a zip that unpacks to too much in all is refused", async () => {
    const zip = zipped(Object.fromEntries([...Array(9).keys()].map((number) => [`${number}.jpg`, PHOTO])));
    assert.equal((await picturesIn(new Blob([zip]))).length, 9);
    assert.equal(await refusal(zip, { ...LIMITS, unpacked: 8 * PHOTO.length }), "bomb");
});

test("pictures that share their bytes, which makes a small zip a large one, are refused", async () => {
    const zip = zipped({ "a.jpg": PHOTO, "b.jpg": PHOTO });
    new DataView(zip.buffer).setUint32(find(zip, LISTED, find(zip, LISTED) + 4) + 42, 0, true);
    assert.equal(await refusal(zip), "bomb");
});

test("a list of contents that would fill the memory is refused before it is read", async () => {
    const zip = zipped({ "a.jpg": PHOTO });
    new DataView(zip.buffer).setUint32(zip.length - 10, 2 ** 30, true);
    assert.equal(await refusal(zip), "bomb");
});

for (const [said, size] of /** @type {const} */ ([["less", 100], ["more", 2 ** 20 + 1]])) {
    test(`a picture that is not as large as it states is damaged, and unpacked no further (it is ${said})`, async () => {
        const zip = stating(zipped({ "a.bmp": new Uint8Array(2 ** 20) }, { level: 9 }), size);
        const [member] = await picturesIn(new Blob([zip]), { ...LIMITS, small: 2 ** 21 });
        await assert.rejects(member.open(), { code: "damaged" });
    });
}

test("packed bytes that state to become far fewer are not even read", async () => {
    const zip = stating(zipped({ "a.jpg": PHOTO }), 100);
    const [member] = await picturesIn(new Blob([zip]));
    await assert.rejects(member.open(), { code: "damaged" });
});

test("two pictures of one name are both read", async () => {
    const zip = zipped({ "a.jpg": PHOTO, "b.jpg": strToU8("another") });
    for (const start of [HEADER, LISTED]) {
        const second = find(zip, start, find(zip, start) + 4);
        zip[second + (start === HEADER ? 30 : 46)] = "a".charCodeAt(0);
    }
    const members = await picturesIn(new Blob([zip]));
    assert.deepEqual(members.map(({ name }) => name), ["a.jpg", "a.jpg"]);
    assert.deepEqual(await contentOf(members[1]), strToU8("another"));
});

test("a zip packed in a way that few know is refused", async () => {
    for (const method of [9, 12, 14, 93, 99]) {
        const zip = zipped({ "a.jpg": PHOTO });
        zip[find(zip, LISTED) + 10] = method;
        assert.equal(await refusal(zip), "method");
    }
});

test("a locked zip is refused", async () => {
    const zip = zipped({ "a.jpg": PHOTO });
    zip[find(zip, LISTED) + 8] |= 1;
    assert.equal(await refusal(zip), "encrypted");
});

test("what is no zip, or cut off, is damaged", async () => {
    const zip = zipped({ "a.jpg": PHOTO, "b.jpg": PHOTO });
    const end = new Uint8Array([0x50, 0x4b, 5, 6, ...Array(10).fill(0)]);
    for (const bytes of [new Uint8Array(), strToU8("no zip at all"), end, zip.slice(0, 2000), zip.slice(0, -1), zip.slice(2000)]) {
        assert.equal(await refusal(bytes), "damaged");
    }
});

test("a zip with any byte of its list of contents changed is opened or refused, never anything else", async () => {
    const zip = zipped({ "a.jpg": PHOTO });
    for (let at = find(zip, LISTED); at < zip.length; at++) {
        for (const value of [0, 255, zip[at] ^ 1]) {
            const changed = zip.slice();
            changed[at] = value;
            try {
                for (const member of await picturesIn(new Blob([changed]))) await member.open();
            } catch (error) {
                assert.ok(["damaged", "encrypted", "method", "nested", "names", "bomb"].includes(/** @type {any} */ (error).code), String(error));
            }
        }
    }
});

test("one damaged picture is an error of its own", async () => {
    for (const level of /** @type {const} */ ([0, 6])) {
        const zip = zipped({ "a.jpg": PHOTO, "b.jpg": PHOTO }, { level });
        zip[find(zip, HEADER) + 100] ^= 255;
        const [first, second] = await picturesIn(new Blob([zip]));
        await assert.rejects(first.open(), { code: "damaged" });
        assert.deepEqual(await contentOf(second), PHOTO);
    }
});

test("a large zip's sizes are read where they stand", async () => {
    const zip = zipped({ "a.jpg": PHOTO });
    const listed = find(zip, LISTED);
    const end = zip.length - 22;
    const list = zip.slice(listed, end);
    const view = new DataView(list.buffer);
    for (const field of [20, 24, 42]) view.setUint32(field, 0xffffffff, true);
    view.setUint16(30, 28, true);
    const extra = new DataView(new ArrayBuffer(28));
    extra.setUint16(0, 1, true);
    extra.setUint16(2, 24, true);
    [PHOTO.length, PHOTO.length, 0].forEach((value, place) => extra.setBigUint64(4 + 8 * place, BigInt(value), true));
    const record = new DataView(new ArrayBuffer(56));
    record.setUint32(0, 0x06064b50, true);
    record.setBigUint64(40, BigInt(list.length + 28), true);
    record.setBigUint64(48, BigInt(listed), true);
    const locator = new DataView(new ArrayBuffer(20));
    locator.setUint32(0, 0x07064b50, true);
    const last = zip.slice(end);
    new DataView(last.buffer).setUint32(16, 0xffffffff, true);
    const large = new Blob([zip.slice(0, listed), list, extra, record, locator, last]);
    const [member] = await picturesIn(large);
    assert.deepEqual(await contentOf(member), PHOTO);
});
