// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A group whose members belong to several implementations, and the delivery service between them.
import assert from "node:assert/strict";

export const hex = (text) => Buffer.from(text).toString("hex");
export const customExtension = 0xf0a1; // for private use; everybody here lists it

let people = 0;

// person(peer, setting): a client of an implementation; setting: { suite, handshakes, tree_in_welcome }.
export async function person(peer, setting) {
  const id = `${peer.name} ${++people}`;
  const out = {
    peer,
    id,
    setting,
    group: "main",
    call: (op, fields = {}) => peer.call({ op, client: id, group: out.group, ...fields }),
    keyPackage: async (suite) => (await out.call("key_package", suite ? { suite } : {})).key_package,
    state: () => out.call("state"),
    leaf: async () => (await out.call("state")).leaf,
  };
  await out.call("client", { identity: hex(id), extensions: [customExtension], ...setting });
  return out;
}

export const add = async (who) => ({ type: "add", key_package: await who.keyPackage() });
export const remove = async (who) => ({ type: "remove", leaf: await who.leaf() });

export class Room {
  epochs = 0;

  constructor(members = []) {
    this.members = members;
  }

  static async found(founder, extensions = []) {
    await founder.call("create", { group_id: hex(`room of ${founder.id}`), extensions });
    return new Room([founder]);
  }

  // of(founder, ...others): the others are added by one commit.
  static async of(founder, ...others) {
    const room = await Room.found(founder);
    if (others.length) await room.commit(founder, await Promise.all(others.map(add)), others);
    return room;
  }

  others(from) {
    return this.members.filter((m) => m !== from);
  }

  // everyone(from, message, kind): all others process it.
  async everyone(from, message, kind) {
    for (const m of this.others(from)) {
      const got = await m.call("process", { message });
      assert.equal(got.kind, kind, `${m.id} takes it for something else`);
    }
  }

  async propose(from, proposal) {
    await this.everyone(from, (await from.call("propose", { proposal })).proposal, "proposal");
  }

  // commit(from, proposals, joiners): everybody follows, the joiners join, and all agree.
  async commit(from, proposals = [], joiners = [], fields = {}) {
    await this.publish(from, await from.call("commit", { proposals, ...fields }), joiners);
  }
  async publish(from, made, joiners = []) {
    await this.everyone(from, made.commit, "commit");
    await from.call("apply");
    const beside = from.setting.tree_in_welcome === false ? { ratchet_tree: made.ratchet_tree } : {};
    for (const j of joiners) await j.call("join", { welcome: made.welcome, ...beside });
    this.members.push(...joiners);
    await this.agree();
  }

  // externalJoin(who, by, fields): by a GroupInfo of `by`; who is in the room already has lost its state.
  async externalJoin(who, by, fields = {}) {
    const made = await by.call("group_info", fields);
    const beside = fields.ratchet_tree === false ? { ratchet_tree: made.ratchet_tree } : {};
    const resync = this.members.includes(who);
    if (resync) {
      await who.call("forget");
      this.members = this.others(who);
    }
    const { commit } = await who.call("external_join", { group_info: made.group_info, resync, ...beside });
    await this.everyone(who, commit, "commit");
    this.members.push(who);
    await this.agree();
  }

  // agree(): who is still in sees the same epoch, and exactly these members.
  async agree() {
    const states = await Promise.all(this.members.map((m) => m.state()));
    this.members = this.members.filter((_, i) => states[i].active);
    const [first, ...rest] = states.filter((s) => s.active);
    const shared = [
      "epoch",
      "epoch_authenticator",
      "group_context",
      "tree_hash",
      "group_id",
      "members",
      "reinitialized",
    ];
    for (const s of rest) for (const fact of shared) assert.deepEqual(s[fact], first[fact], `another ${fact}`);
    assert.deepEqual(
      first.members.map((m) => m.identity).sort(),
      this.members.map((m) => hex(m.id)).sort(),
      "other members",
    );
    this.epochs += 1;
    return first;
  }

  async exported(label, context, length) {
    const secrets = await Promise.all(this.members.map((m) => m.call("export", { label, context, length })));
    assert.equal(secrets[0].secret.length, 2 * length);
    for (const s of secrets) assert.equal(s.secret, secrets[0].secret, "another exported secret");
  }

  // say(from, plaintext): application data that all others read.
  async say(from, plaintext, authenticated_data = hex("header")) {
    const { message } = await from.call("protect", { plaintext, authenticated_data });
    for (const m of this.others(from)) await read(m, message, plaintext, authenticated_data);
  }
  // talk(): somebody of each implementation says something.
  async talk() {
    const speakers = new Map(this.members.map((m) => [m.peer, m]));
    for (const m of speakers.values()) await this.say(m, hex(`${m.id} speaks`));
  }
}

export async function read(who, message, plaintext, authenticated_data) {
  const got = await who.call("unprotect", { message });
  assert.equal(got.plaintext, plaintext, "another plaintext");
  assert.equal(got.authenticated_data, authenticated_data, "other authenticated data");
}
