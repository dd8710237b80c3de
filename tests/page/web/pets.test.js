// The visitor's own pets: taught, known, told from others, kept as a file, and what is refused. What they are worth is measured
// in Python, and that both agree is tested there.
import assert from "node:assert/strict";
import { test } from "node:test";

import { judged } from "../../../catdog/page/web/pets/lesson.js";
import { ALIKE, MAX_PETS, MAX_PHOTOS, Pets, isName } from "../../../catdog/page/web/pets/pets.js";
import { decoded, encoded } from "../../../catdog/page/web/pets/signature.js";

const CHANNELS = 32;
/** Numbers that are the same in every run. @param {number} seed */
function* numbers(seed) {
    for (let state = seed + 1; ; ) yield (state = (state * 48271) % 2147483647) / 2147483647;
}

/** The signature of a photo of a pet: a look of its own, and a little by chance. @param {number} pet */
function signature(pet, photo = 0, change = 0.2) {
    const look = numbers(1000 * pet), chance = numbers(77_777 * (photo + 1) + pet);
    look.next();
    chance.next();
    return Float32Array.from({ length: CHANNELS }, () => look.next().value * (1 + change * (chance.next().value - 0.5)));
}

const prediction = (verdict) => ({ verdict, ...{ cat: { cat: 0.9, dog: 0.1 }, dog: { cat: 0.1, dog: 0.9 }, both: { cat: 0.9, dog: 0.8 }, neither: { cat: 0.1, dog: 0 } }[verdict] });
const answer = (pet, verdict = "dog", photo = 0, change) => ({ prediction: prediction(verdict), signature: signature(pet, photo, change) });
const strangers = Array.from({ length: 60 }, (_, pet) => signature(100 + pet));
const fresh = (bank = { cat: strangers, dog: strangers }) => new Pets("weights", CHANNELS, bank);
const photos = (pet, count) => Array.from({ length: count }, (_, photo) => signature(pet, photo));

test("a pet is known on other photos of it, and few other dogs are taken for it", () => {
    const pets = fresh();
    pets.learn("Rex", "dog", photos(1, 4));
    pets.learn("Bello", "dog", photos(2, 4));
    assert.equal(pets.recognized(answer(1, "dog", 9)).name, "Rex");
    assert.equal(pets.recognized(answer(2, "dog", 9)).name, "Bello");
    assert.ok(pets.recognized(answer(1, "dog", 9)).known);
    const mistaken = Array.from({ length: 40 }, (_, pet) => pets.recognized(answer(300 + pet))).filter(({ known }) => known);
    assert.ok(mistaken.length <= 8, `${mistaken.length} of 40`);
});

test("nothing is said of other kinds, of none, and without a signature", () => {
    const pets = fresh();
    assert.equal(pets.recognized(answer(1)), null);
    pets.learn("Rex", "dog", photos(1, 2));
    assert.equal(pets.recognized(answer(1, "cat")), null);
    assert.equal(pets.recognized(answer(1, "neither")), null);
    assert.equal(pets.recognized({ prediction: prediction("dog"), signature: null }), null);
});

test("without a bank pets are told apart, and strangers are not", () => {
    const pets = fresh(null);
    pets.learn("Rex", "dog", photos(1, 2));
    pets.learn("Bello", "dog", photos(2, 2));
    assert.equal(pets.recognized(answer(2, "dog", 9)).name, "Bello");
    assert.ok(pets.recognized(answer(99)).known);
    assert.equal(pets.recalled(pets.all.get("Rex")), null);
});

test("more photos, forgetting, and what is left out of how often it is known", () => {
    const pets = fresh();
    pets.learn(" Rex ", "dog", photos(1, 1));
    assert.equal(pets.recalled(pets.all.get("Rex")), null);
    pets.learn("Rex", "dog", [signature(1, 8), signature(50)]);
    assert.equal(pets.all.get("Rex").signatures.length, 3);
    assert.equal(pets.recalled(pets.all.get("Rex")), 2, "the one that is no Rex is not known by the others");
    pets.forget("Rex");
    assert.equal(pets.recognized(answer(1)), null);
});

test("limits and names are refused with a code, and change nothing", () => {
    const pets = fresh();
    const refused = (code, ...given) => assert.throws(() => pets.learn(...given), { code });
    for (const name of ["", "  ", "x".repeat(61), "a\u202eb", "a\nb"]) refused("pets.bad-name", name, "dog", photos(1, 1));
    refused("pets.most-photos", "Rex", "dog", photos(1, MAX_PHOTOS + 1));
    for (let pet = 0; pet < MAX_PETS; pet++) pets.learn(`<b>${pet}</b> 🐶`, "dog", photos(pet, 1));
    refused("pets.most-pets", "one more", "dog", photos(1, 1));
    refused("pets.is-dog", "<b>1</b> 🐶", "cat", photos(1, 1));
    assert.equal(pets.all.size, MAX_PETS);
    assert.ok(isName("👨‍👩‍👧") && isName("咪咪") && isName("x".repeat(60)));
});

test("a file holds them all, and another program's, version's or checkpoint's changes nothing", () => {
    const pets = fresh();
    pets.learn("Rex", "dog", photos(1, 2));
    pets.learn("咪咪", "cat", photos(2, 1));
    const file = pets.toJson();
    const other = fresh();
    other.read(file);
    assert.deepEqual([...other.all], [...pets.all]);
    const content = JSON.parse(file);
    const [rex] = content.pets;
    const changed = {
        "pets.file-other": ["no JSON", "[]", "null", JSON.stringify({ ...content, format: "other" })],
        "pets.file-version": [JSON.stringify({ ...content, version: 2 })],
        "pets.file-checkpoint": [JSON.stringify({ ...content, weights: "of another" })],
        "pets.file-damaged": [
            { pets: undefined }, { pets: [null] }, { pets: [rex, rex] }, { pets: [{ ...rex, label: "fox" }] }, { pets: [{ ...rex, name: "" }] },
            { pets: [{ ...rex, signatures: [] }] }, { pets: [{ ...rex, signatures: ["%"] }] }, { pets: [{ ...rex, signatures: [encoded(new Float32Array(3))] }] },
            { pets: [{ ...rex, signatures: [encoded(new Float32Array(CHANNELS).fill(NaN))] }] }, { pets: [{ ...rex, signatures: [encoded(new Float32Array(CHANNELS).fill(-1))] }] },
        ].map((each) => JSON.stringify({ ...content, ...each })),
    };
    for (const [code, texts] of Object.entries(changed)) {
        for (const text of texts) assert.throws(() => other.read(text), { code }, text.slice(0, 80));
    }
    assert.deepEqual([...other.all], [...pets.all]);
});

test("a signature is its text, to the last bit", () => {
    assert.deepEqual(decoded(encoded(signature(1))), signature(1));
});

test("a lesson leaves out what shows no such pet, what cannot be read, and a second photo of one moment", () => {
    const pets = fresh();
    const same = answer(1, "dog", 1, 0.8);
    const lesson = [answer(1), answer(2, "cat"), answer(1, "neither"), answer(1, "both"), null, same, { ...same }];
    const { label, reasons, signatures } = judged(pets, undefined, lesson);
    assert.equal(label, "dog");
    assert.deepEqual(reasons, [null, "pets.left-cat", "pets.left-none", "pets.left-both", null, null, "pets.left-alike"]);
    assert.deepEqual(signatures, [lesson[0].signature, same.signature]);
    assert.ok(ALIKE < 1);
    const known = { name: "Tom", label: /** @type {const} */ ("cat"), signatures: [signature(2)] };
    assert.deepEqual(judged(pets, known, [answer(1), answer(2, "cat")]).reasons, ["pets.left-dog", "pets.left-alike"]);
});

test("who is rejected is not taken for a pet again, and that is kept", () => {
    const pets = fresh();
    pets.learn("Rex", "dog", photos(1, 4));
    const double = (photo) => signature(1, photo).map((value, channel) => 0.75 * value + 0.25 * signature(5, photo)[channel]);
    const shown = (photo) => ({ prediction: prediction("dog"), signature: double(photo) });
    assert.ok(pets.recognized(shown(20)).known);
    pets.reject("dog", double(21));
    assert.ok(!pets.recognized(shown(20)).known);
    assert.ok(pets.recognized(answer(1, "dog", 9)).known);
    const again = fresh();
    again.read(pets.toJson());
    assert.ok(!again.recognized(shown(20)).known);
    const { strangers: _, ...earlier } = JSON.parse(pets.toJson());
    again.read(JSON.stringify(earlier));
    assert.ok(again.recognized(shown(20)).known);
    assert.throws(() => again.read(JSON.stringify({ ...earlier, strangers: { dog: ["AAAA"] } })), { code: "pets.file-damaged" });
});
