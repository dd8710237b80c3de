/** Says who pets are, as the page does, of a question on standard input in JSON: for test_pets_on_page.py. */
import { readFileSync } from "node:fs";

const place = "../../catdog/page/web/pets";
const { bankOf } = await import(`${place}/bank.js`);
const { Pets } = await import(`${place}/pets.js`);
const { decoded } = await import(`${place}/signature.js`);

const { file, bank, weights, channels, answers, shown } = JSON.parse(readFileSync(0, "utf8"));
const bytes = Uint8Array.from(readFileSync(bank));
const pets = new Pets(weights, channels, bankOf(bytes.buffer, weights, channels));
pets.read(file);
const found = answers.map(({ signature, prediction }) => pets.recognized({ prediction, signature: decoded(signature) }));
const recalled = [...pets.all.values()].map((pet) => pets.recalled(pet));
const floats = (text) => new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);
const maps = ({ cat, dog, ...size }) => ({ cat: floats(cat), dog: floats(dog), ...size });
const places = shown.map(({ name, label, features, evidence }) =>
    [...pets.places({ name, label }, { features: floats(features), evidence: maps(evidence) })]);
console.log(JSON.stringify({ found, recalled, places, file: pets.toJson() }));
