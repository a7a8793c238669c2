// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each operation once: `a` is of the implementation that acts, `b` of the other one; `setting` is the suite and the
// encoding of handshake messages. What has nothing to do with the suite names those it is run with.
import assert from "node:assert/strict";
import { Room, add, customExtension, hex, person, read, remove } from "./room.mjs";

// What an implementation does not offer, or does against the RFC, is an entry of the table and a note below it.
export class NotOffered extends Error {}

// differs(refusal, note, act): the other implementation is known to be wrong here, and this shows that it still is.
async function differs(refusal, note, act) {
  try {
    await act();
  } catch (e) {
    if (refusal.test(e.message)) throw new NotOffered(note);
    throw e;
  }
  throw new Error(`this works by now: ${note}`);
}
const isTs = (peer) => peer.name === "ts-mls";
const two = (setting, a, b) => Promise.all([person(a, setting), person(b, setting)]);
const three = async (setting, a, b) => [...(await two(setting, a, b)), await person(a, setting)];
const custom = [{ type: customExtension, data: hex("agenda") }];
const setExtensions = (extensions) => ({ type: "group_context_extensions", extensions });
const withoutPath = "ts-mls commits GroupContextExtensions without a path, which RFC 9420 12.4 requires";
// required_capabilities: the custom extension, no proposals, basic credentials
const required = { type: 3, data: "02f0a100020001" };

// external_senders: one, with a key of 32 bytes and a basic credential
const externalSenders = `28${"20"}${"07".repeat(32)}000104${hex("bell")}`;

async function pskRoom(setting, a, b) {
  const people = await three(setting, a, b);
  for (const p of people) await p.call("psk", { psk_id: hex("password"), psk: hex("correct horse battery staple") });
  return people;
}
const externalPsk = { type: "psk", psk_id: hex("password") };

// continued(room, joiner's suite, act): the group that follows: everybody else brings a key package and joins.
async function continued(room, from, suite, op, fields) {
  const others = room.others(from);
  const key_packages = await Promise.all(others.map((m) => m.keyPackage(suite)));
  const made = await from.call(op, { key_packages, new_group: "next", suite, ...fields });
  const beside = made.ratchet_tree ? { ratchet_tree: made.ratchet_tree } : {};
  for (const m of others)
    await m.call("join", { group: "next", predecessor: "main", welcome: made.welcome, ...beside });
  for (const m of room.members) m.group = "next";
  const state = await room.agree();
  assert.equal(state.epoch, 1);
  await room.talk();
}

export const operations = [
  [
    "create; add two in one Commit",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y, z);
      await room.talk();
    },
  ],
  [
    "Welcome without the ratchet_tree extension",
    async (setting, a, b) => {
      const [x, y, z] = await three({ ...setting, tree_in_welcome: false }, a, b);
      const room = await Room.of(x, y, z);
      await room.talk();
    },
  ],
  [
    "Add without an UpdatePath",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y);
      await room.commit(y);
      await room.commit(x, [await add(z)], [z], { path: false });
      for (const m of [z, y]) await room.commit(m);
      await room.talk();
    },
  ],
  [
    "Add by reference",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y);
      await room.propose(x, await add(z));
      await room.commit(y, [], [z]);
      await room.talk();
    },
  ],
  [
    "Update by reference",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y, z);
      await room.propose(x, { type: "update" });
      await room.commit(y);
      await room.commit(x);
      await room.talk();
    },
  ],
  [
    "Commit without proposals",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y, z);
      for (const m of [x, y, z]) await room.commit(m, [], [], { authenticated_data: hex("why") });
      await room.talk();
    },
  ],
  [
    "Remove by value",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y, z, await person(b, setting));
      await room.commit(x, [await remove(y)]);
      assert.equal((await y.state()).active, false);
      await room.talk();
    },
  ],
  [
    "Remove by reference",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y, z, await person(b, setting));
      await room.propose(x, await remove(z));
      await room.commit(y);
      assert.equal((await z.state()).active, false);
      await room.talk();
    },
  ],
  [
    "Add, Remove, Update in one Commit",
    async (setting, a, b) => {
      const [x, y] = await two(setting, a, b);
      const leaver = await person(isTs(a) ? b : a, setting); // see the next operation
      const room = await Room.of(x, y, leaver);
      const joiners = await two(setting, b, a);
      await room.propose(y, { type: "update" });
      await room.commit(x, [await remove(leaver), ...(await Promise.all(joiners.map(add)))], joiners);
      assert.equal((await leaver.state()).active, false);
      for (const m of [joiners[0], y]) await room.commit(m);
      await room.talk();
    },
  ],
  [
    "Remove, the leaf given away at once",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y, z);
      const joiner = await person(a, setting);
      const act = async () => room.commit(x, [await remove(y), await add(joiner)], [joiner]);
      if (isTs(b))
        await differs(
          /No overlap/,
          "a ts-mls member does not see that it is removed where the same Commit gives its leaf to another",
          act,
        );
      await act();
      assert.equal((await y.state()).active, false);
      await room.talk();
    },
    { suites: [1, 2, 3] },
  ],
  [
    "UpdatePath beside a blank left half",
    async (setting, a, b) => {
      const [x, y] = await two(setting, a, b);
      const [p, q] = await two(setting, a, b);
      const room = await Room.of(p, q, x, y);
      await differs(
        /confirmation tag/,
        "ts-mls derives one commit secret too many where the UpdatePath does not reach the root (RFC 9420 12.4.2)",
        async () => room.commit(x, [await remove(p), await remove(q)]),
      );
    },
    { suites: [1, 2, 3] },
  ],
  [
    "join among different unmerged leaves",
    async (setting, a, b) => {
      const [x, y] = await two(setting, a, b);
      const leaver = await person(a, setting);
      const room = await Room.of(
        x,
        leaver,
        await person(b, setting),
        await person(a, setting),
        await person(b, setting),
      );
      await room.commit(x, [await remove(leaver)]);
      const first = await person(a, setting);
      await room.commit(x, [await add(first)], [first], { path: false });
      const act = async () => room.commit(x, [await add(y)], [y], { path: false });
      if (isTs(b))
        await differs(
          /unmerged_leaves/,
          "ts-mls refuses trees whose nodes above an unmerged leaf list further leaves (RFC 9420 12.4.3.1)",
          act,
        );
      await act();
      await room.commit(y);
      await room.talk();
    },
    { suites: [1, 2, 3] },
  ],
  [
    "application data: out of order, late",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y, z);
      const header = hex("header");
      const said = [];
      for (let i = 0; i < 5; ++i) {
        const plaintext = "5a".repeat(i * i * 40);
        said.push([plaintext, (await x.call("protect", { plaintext, authenticated_data: header })).message]);
      }
      for (const i of [3, 0, 2]) await read(y, said[i][1], said[i][0], header);
      await assert.rejects(read(y, said[0][1], said[0][0], header), "a replay");
      await room.commit(y);
      for (const i of [4, 1]) await read(y, said[i][1], said[i][0], header);
      await room.talk();
    },
  ],
  [
    "exporter",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y, z);
      for (const [label, context, length] of [
        ["SFrame 1.0 Base Key", "", 32],
        ["", hex("context"), 1],
        ["long", "00", 255],
      ])
        await room.exported(label, context, length);
    },
  ],
  [
    "external join",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(y, await person(a, setting));
      await room.externalJoin(x, y);
      await room.externalJoin(z, room.members[1], { ratchet_tree: false });
      await room.commit(y);
      await room.talk();
    },
  ],
  [
    "resync",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(y, x, z);
      await room.externalJoin(x, y);
      await room.commit(x);
      await room.talk();
    },
  ],
  [
    "a newcomer proposes to be added",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(y, z);
      const { group_id, epoch } = await y.state();
      const { proposal } = await x.call("propose_add", { group_id, epoch });
      await room.everyone(null, proposal, "proposal");
      await room.commit(y, [], [x]);
      await room.talk();
    },
  ],
  [
    "external PSK, by value, with a joiner",
    async (setting, a, b) => {
      const [x, y, z] = await pskRoom(setting, a, b);
      const room = await Room.of(x, y);
      await room.commit(x, [externalPsk]);
      await room.commit(x, [externalPsk, await add(z)], [z]);
      await room.talk();
    },
  ],
  [
    "external PSK, by reference",
    async (setting, a, b) => {
      const [x, y, z] = await pskRoom(setting, a, b);
      const room = await Room.of(x, y, z);
      await room.propose(x, externalPsk);
      await room.commit(y);
      await room.talk();
    },
  ],
  [
    "resumption PSK",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y, z);
      const { group_id, epoch } = await x.state();
      await room.commit(y);
      await room.commit(x, [
        { type: "psk", group_id, epoch },
        { type: "psk", group_id, epoch: epoch + 1 },
      ]);
      await room.propose(x, { type: "psk", group_id, epoch: epoch + 2 });
      await room.commit(y);
      await room.talk();
    },
  ],
  [
    "ReInit by value, to another suite",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y, z);
      const suite = (setting.suite % 7) + 1;
      await room.commit(x, [{ type: "reinit", group_id: hex("after"), suite, extensions: custom }]);
      assert.equal((await y.state()).reinitialized, true);
      await continued(room, x, suite, "reinit");
    },
  ],
  [
    "ReInit by reference",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y, z);
      await room.propose(x, { type: "reinit", group_id: hex("after"), suite: setting.suite });
      await room.commit(y);
      assert.equal((await y.state()).reinitialized, true);
      await continued(room, x, setting.suite, "reinit");
    },
  ],
  [
    "branch",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(y, x, z, await person(b, setting));
      room.members = [x, y, z]; // the fourth stays behind
      await continued(room, x, setting.suite, "branch", { group_id: hex("side room") });
    },
  ],
  [
    "GroupContextExtensions by value",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y, z);
      const act = () => room.commit(x, [setExtensions([...custom, required])]);
      if (isTs(a)) await differs(/path/, withoutPath, act);
      await act();
      await room.commit(y);
      await room.talk();
    },
  ],
  [
    "GroupContextExtensions by reference",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const room = await Room.of(x, y, z);
      await room.propose(x, setExtensions(custom));
      const act = () => room.commit(y);
      if (isTs(b)) await differs(/path/, withoutPath, act);
      await act();
      await room.talk();
    },
  ],
  [
    "GroupContextExtensions: none any more",
    async (setting, a, b) => {
      const [x, y] = await two(setting, a, b);
      const room = await Room.found(x, custom);
      await room.commit(x, [await add(y)], [y]);
      const act = () => room.commit(x, [setExtensions([])]);
      if (isTs(a)) await differs(/path/, withoutPath, act);
      await differs(/OpenError/, "ts-mls takes an empty list of extensions for no change (RFC 9420 12.1.7)", act);
    },
    { suites: [1, 2, 3] },
  ],
  [
    "external_pub as ts-mls has it",
    async (setting, a, b) => {
      const [x, y] = await two({ ...setting, without_help: "external_pub" }, a, b);
      const room = await Room.found(y);
      await differs(
        /do not follow the format|DeserializeError/,
        "ts-mls has external_pub without the length before the key (RFC 9420 12.4.3.2)",
        () => room.externalJoin(x, y),
      );
    },
    { suites: [1, 2, 3] },
  ],
  [
    "signature keys as ts-mls makes them",
    async (setting, a, b) => {
      const [x, y] = await two({ ...setting, without_help: "signature keys" }, a, b);
      const act = () => Room.of(x, y);
      if ([2, 5, 7].includes(setting.suite))
        await differs(
          /public key is not valid|signature of the GroupInfo/,
          "ts-mls makes compressed ECDSA keys (RFC 9420 5.1.1)",
          act,
        );
      else await (await act()).talk();
    },
  ],
  [
    "external_senders",
    async (setting, a, b) => {
      const [x, y, z] = await three(setting, a, b);
      const sender = [{ type: 5, data: externalSenders }];
      const act = async () => {
        const room = isTs(a) ? await Room.found(x, sender) : await Room.of(x, y, z);
        await room.commit(x, [setExtensions(sender)]);
      };
      await differs(
        /external_senders/,
        "ts-mls takes external_senders for one sender, not for a list (RFC 9420 12.1.8.1)",
        act,
      );
    },
    { suites: [1, 2, 3] },
  ],
  [
    "SelfRemove",
    async () => {
      throw new NotOffered("ts-mls has no SelfRemove (draft-ietf-mls-extensions)");
    },
  ],
];
