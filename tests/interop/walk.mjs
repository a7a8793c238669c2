// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random steps of a group whose members belong to both implementations and use both encodings of handshake messages.
// Left out is what operations.mjs shows ts-mls to be wrong about.
import { Room, add, customExtension, hex, person, remove } from "./room.mjs";
import { refusesTree } from "./ts_mls.mjs";

const most = 6;

// random(seed): (n) => one of 0 to n - 1, the same every time (splitmix32).
export function random(seed) {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) % n;
  };
}

// walk(...): `steps` steps, dealt out among the suites; what was done, as text.
export async function walk(seed, steps, suites, ...peers) {
  const one = random(seed);
  const pick = (list) => list[one(list.length)];
  const done = new Map();
  let epochs = 0;
  for (const [i, suite] of suites.entries()) {
    const share = Math.floor((steps * (i + 1)) / suites.length) - Math.floor((steps * i) / suites.length);
    const arrive = async (peer = pick(peers)) => {
      const p = await person(peer, { suite, handshakes: pick(["public", "private"]), tree_in_welcome: one(2) === 0 });
      await p.call("psk", { psk_id: hex("password"), psk: hex("horse battery") });
      return p;
    };
    const room = await Room.of(await arrive(peers[0]), await arrive(peers[1]), await arrive());
    const walker = new Walker(room, one, pick, arrive, peers);
    for (let step = 0; step < share; ++step) {
      const kind = pick(kinds);
      try {
        await walker[kind]();
      } catch (e) {
        e.message = `suite ${suite}, step ${step}, ${kind}: ${e.message}`;
        throw e;
      }
      done.set(kind, (done.get(kind) ?? 0) + 1);
    }
    await room.talk();
    epochs += room.epochs;
  }
  return `${[...done].map(([kind, n]) => `${kind} ${n}`).join(", ")}; ${epochs} epochs agreed on`;
}

const kinds = [
  "update",
  "update",
  "add",
  "add",
  "add",
  "remove",
  "remove",
  "propose",
  "propose",
  "propose",
  "enter",
  "resync",
  "psk",
  "extensions",
  "drop",
  "say",
  "say",
];

class Walker {
  constructor(room, one, pick, arrive, [conclave, tsMls]) {
    Object.assign(this, { room, one, pick, arrive, conclave, tsMls });
  }

  member(not = []) {
    return this.pick(this.room.members.filter((m) => !not.includes(m)));
  }

  // mayLeave(who): members stay in both halves of the tree, of both implementations, and two at least.
  async mayLeave(who) {
    const { members, leaf } = await who.state();
    const leaves = members.map((m) => m.leaf).filter((l) => l !== leaf);
    const half = 2 ** Math.ceil(Math.log2(Math.max(...leaves) + 1)) / 2;
    const stay = this.room.others(who);
    return leaves.length > 1 && leaves.some((l) => l < half) && new Set(stay.map((m) => m.peer)).size === 2;
  }

  async update() {
    await this.room.commit(this.member());
  }

  async add() {
    const joiners = [];
    while (joiners.length <= this.one(2) && this.room.members.length + joiners.length < most)
      joiners.push(await this.arrive());
    if (!joiners.length) return this.remove();
    const from = this.member();
    const path = this.one(2) === 0;
    const made = await from.call("commit", {
      proposals: await Promise.all(joiners.map(add)),
      path,
      ratchet_tree: true,
    });
    if (joiners.some((j) => j.peer === this.tsMls) && refusesTree(made.ratchet_tree)) return this.update();
    await this.room.publish(from, made, joiners);
  }

  async remove() {
    const leaver = this.member();
    if (!(await this.mayLeave(leaver))) return this.update();
    const proposals = [await remove(leaver)];
    const joiners = [];
    if (leaver.peer === this.conclave && this.one(2)) {
      joiners.push(await this.arrive(this.conclave));
      proposals.push(await add(joiners[0]));
    }
    await this.room.commit(this.member([leaver]), proposals, joiners);
  }

  // propose: up to three proposals of different members, then a commit of somebody else.
  async propose() {
    const committer = this.member();
    const touched = [committer];
    const joiners = [];
    for (let n = 1 + this.one(3); n > 0; --n) {
      const from = this.member([committer]);
      const kind = this.pick(["update", "add", "remove", "psk", "extensions"]);
      if (kind === "update" && !touched.includes(from)) {
        touched.push(from);
        await this.room.propose(from, { type: "update" });
      } else if (kind === "add" && !joiners.length && this.room.members.length < most) {
        joiners.push(await this.arrive(this.conclave));
        await this.room.propose(from, await add(joiners[0]));
      } else if (kind === "remove" && !touched.leaver) {
        const leaver = this.member(touched);
        if (!leaver || leaver.peer === this.tsMls || !(await this.mayLeave(leaver))) continue;
        touched.push(leaver);
        touched.leaver = leaver;
        await this.room.propose(from, await remove(leaver));
      } else if (kind === "psk" && !joiners.length) {
        await this.room.propose(from, { type: "psk", psk_id: hex("password") });
      } else if (kind === "extensions" && committer.peer === this.conclave && !touched.extensions) {
        touched.extensions = true;
        await this.room.propose(from, this.agenda());
      }
    }
    await this.room.commit(committer, [], joiners);
  }

  // refused(by): whether ts-mls would refuse the tree that this member has.
  async refused(by) {
    return refusesTree((await by.call("group_info", { ratchet_tree: false })).ratchet_tree);
  }

  async enter() {
    if (this.room.members.length >= most) return this.remove();
    const by = this.member();
    let who = await this.arrive();
    const ratchet_tree = this.one(2) === 0;
    if (await this.refused(by)) who = await this.arrive(this.conclave);
    await this.room.externalJoin(who, by, { ratchet_tree });
  }

  async resync() {
    const who = this.member();
    const by = this.member([who]);
    if (who.peer === this.tsMls && (await this.refused(by))) return this.update();
    await this.room.externalJoin(who, by);
  }

  async psk() {
    const from = this.member();
    const { group_id, epoch } = await from.state();
    await this.room.commit(from, [
      this.pick([
        { type: "psk", psk_id: hex("password") },
        { type: "psk", group_id, epoch },
      ]),
    ]);
  }

  agenda() {
    return {
      type: "group_context_extensions",
      extensions: [{ type: customExtension, data: hex(`agenda ${this.one(100)}`) }],
    };
  }
  async extensions() {
    const from = this.pick(this.room.members.filter((m) => m.peer === this.conclave));
    await this.room.commit(from, [this.agenda()]);
  }

  // drop: a commit that somebody else's overtakes.
  async drop() {
    const late = this.member();
    await late.call("commit");
    await this.room.commit(this.member([late]));
    await this.room.say(late, hex("I was too late"));
  }

  async say() {
    await this.room.say(this.member(), hex("x".repeat(this.one(300))));
  }
}
