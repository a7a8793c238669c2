// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An implementation in another process that speaks the line protocol of docs/interop.md.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

// What a peer hands out for others to read.
export const outputs = ["key_package", "proposal", "commit", "welcome", "ratchet_tree", "group_info", "message"];

export class Driver {
  name = "conclave";

  // spoil(field, hex, answer): what becomes of each output on its way.
  constructor(program, spoil = (field, hex) => hex) {
    this.spoil = spoil;
    this.waiting = [];
    this.process = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
    const gone = (why) => {
      this.dead = new Error(`${program}: ${why}`);
      for (const { reject } of this.waiting.splice(0)) reject(this.dead);
    };
    this.process.on("error", (e) => gone(e.message));
    this.process.on("exit", (code, signal) => gone(`ended with ${code ?? signal}`));
    this.process.stdin.on("error", () => {});
    createInterface({ input: this.process.stdout }).on("line", (line) =>
      this.waiting.shift().resolve(JSON.parse(line)),
    );
  }

  async call(request) {
    if (this.dead) throw this.dead;
    const answer = await new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.process.stdin.write(JSON.stringify(request) + "\n");
    });
    if (!answer.ok) throw new Error(`conclave: ${answer.error}`);
    for (const field of outputs)
      if (answer[field] !== undefined) answer[field] = this.spoil(field, answer[field], answer);
    return answer;
  }

  close() {
    this.process.stdin.end();
  }
}
