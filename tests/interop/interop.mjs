// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// conclave and ts-mls in the same groups: every operation in both directions for each suite, then a random walk. Prints
// a table; fails where anything goes another way than it says.
//
//   node interop.mjs --driver PROGRAM [--suites 1,2] [--both] [--steps N] [--seed N] [--corrupt OUTPUT]
//
// Suite 1 runs with handshake messages as PrivateMessage and as PublicMessage, the others with either in turns, or with
// --both. --corrupt spoils one byte in conclave's first output of this kind (see outputs in driver.mjs): the run has to
// fail.
import { parseArgs } from "node:util";
import { Driver, outputs } from "./driver.mjs";
import { NotOffered, operations } from "./operations.mjs";
import { TsMls } from "./ts_mls.mjs";
import { random, walk } from "./walk.mjs";

const { values } = parseArgs({
  options: {
    driver: { type: "string" },
    suites: { type: "string", default: "1,2,3,4,5,6,7" },
    steps: { type: "string", default: "200" },
    both: { type: "boolean", default: false },
    seed: { type: "string", default: String(Date.now() % 1e9) },
    corrupt: { type: "string" },
  },
});
const suites = values.suites.split(",").map(Number);
const seed = Number(values.seed);
if (!values.driver || (values.corrupt && !outputs.includes(values.corrupt))) {
  console.error("interop.mjs: --driver PROGRAM is needed, and --corrupt is one of", outputs.join(", "));
  process.exit(2);
}
setTimeout(() => {
  console.log("FAILED: this takes too long");
  process.exit(1);
}, 1_800_000).unref();

let spoiled = false;
function spoil(field, hex, answer) {
  if (spoiled || field !== values.corrupt) return hex;
  if (field === "commit" && answer.welcome) return hex; // a founder's first one reaches nobody
  spoiled = true;
  const bytes = Buffer.from(hex, "hex");
  const at = random(seed)(bytes.length);
  bytes[at] ^= 1 + random(seed + 1)(255);
  console.log(`byte ${at} of ${bytes.length} of a ${field} is spoiled`);
  return bytes.toString("hex");
}

const conclave = new Driver(values.driver, spoil);
const tsMls = new TsMls();
const failures = [];
const notes = [];

const encodings = ["private", "public"];

async function cell(title, suite, turn, run, a, b) {
  let out = "ok";
  for (const handshakes of suite === 1 || values.both ? encodings : [encodings[turn % 2]]) {
    try {
      await run({ suite, handshakes }, a, b);
    } catch (e) {
      if (e instanceof NotOffered) {
        if (!notes.includes(e.message)) notes.push(e.message);
        out = `(${notes.indexOf(e.message) + 1})`;
      } else {
        failures.push(`${title}, suite ${suite}, ${handshakes}: ${e.stack}`);
        return "FAILED";
      }
    }
  }
  return out;
}

const started = Date.now();
const width = Math.max(...operations.map(([name]) => name.length));
console.log("".padEnd(width + 22), ...suites.map((s) => `suite ${s}`.padEnd(8)));
table: for (const [i, [name, run, only]] of operations.entries()) {
  for (const [a, b] of [
    [conclave, tsMls],
    [tsMls, conclave],
  ]) {
    const direction = `${a.name} to ${b.name}`;
    const row = [];
    for (const suite of suites) {
      const needed = only?.suites.includes(suite) ?? true;
      row.push(needed ? await cell(`${name}, ${direction}`, suite, i + suite + (a === conclave), run, a, b) : "-");
    }
    if (spoiled) break table;
    console.log(name.padEnd(width), direction.padEnd(21), ...row.map((c) => c.padEnd(8)));
  }
}
console.log("- not run: nothing in it depends on the suite");
notes.forEach((n, i) => console.log(`(${i + 1}) ${n}`));

const steps = Number(values.steps);
if (steps) {
  console.log(`\n${steps} random steps, seed ${seed}`);
  try {
    // the other suites differ in their primitives, which are slow in JavaScript
    const quick = suites.filter((s) => s <= 3);
    console.log(await walk(seed, steps, quick.length ? quick : suites, conclave, tsMls));
  } catch (e) {
    failures.push(`random walk, seed ${seed}: ${e.stack}`);
  }
}
conclave.close();
for (const f of failures) console.log(`FAILED: ${f}`);
console.log(`${failures.length} failures, ${((Date.now() - started) / 1000).toFixed(1)} s`);
process.exitCode = failures.length ? 1 : 0;
