// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The test of the test: with one byte of any kind of conclave's output spoiled, interop.mjs has to fail.
//
//   node corrupt.mjs PROGRAM
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { outputs } from "./driver.mjs";

const test = fileURLToPath(new URL("interop.mjs", import.meta.url));
let missed = 0;
for (const output of outputs) {
  const run = spawnSync(
    process.execPath,
    [
      ...process.execArgv,
      test,
      "--driver",
      process.argv[2],
      "--suites",
      "1",
      "--steps",
      "0",
      "--seed",
      "1",
      "--corrupt",
      output,
    ],
    { encoding: "utf8" },
  );
  const spoiled = /^byte .* spoiled$/m.exec(run.stdout)?.[0];
  const found = /^FAILED: .*$/m.exec(run.stdout)?.[0];
  const ok = run.status === 1 && spoiled && found;
  console.log(ok ? `${spoiled}: found` : `${output}: NOT FOUND\n${run.stdout}${run.stderr}`);
  if (!ok) missed += 1;
}
process.exitCode = missed ? 1 : 0;
