// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ts-mls behind the protocol of docs/interop.md, in this process. What it has to be helped with is marked HELP; a
// client with { without_help: "external_pub" } or "signature keys" does it the library's way.
import * as mls from "ts-mls";
import { encode } from "ts-mls/codec/tlsEncoder.js";
import { createGroupInfo } from "ts-mls/createCommit.js";
import { groupContextEncoder } from "ts-mls/groupContext.js";
import { makeKeyPackageRef } from "ts-mls/keyPackage.js";
import { signLeafNodeCommit } from "ts-mls/leafNode.js";
import { decodeRatchetTree, encodeRatchetTree } from "ts-mls/ratchetTree.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";

export const toHex = (bytes) => Buffer.from(bytes).toString("hex");
export const fromHex = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
const bytesOf = (object, key) => fromHex(object[key] ?? "");
const same = (a, b) => Buffer.compare(a, b) === 0;

// opaque<V> of less than 16384 bytes, RFC 9420 2.1.2
function opaque(bytes) {
  const n = bytes.length;
  return new Uint8Array([...(n < 0x40 ? [n] : [0x40 | (n >> 8), n & 255]), ...bytes]);
}
const withoutHeader = (bytes) => bytes.slice(1 << (bytes[0] >> 6));

const names = Object.fromEntries(Object.entries(mls.ciphersuites).map(([name, id]) => [id, name]));
const suiteOf = (id) => mls.getCiphersuiteImpl(mls.getCiphersuiteFromName(names[id]));
const extensionNames = Object.fromEntries(Object.entries(mls.defaultExtensionTypes).map(([name, id]) => [id, name]));
const extensionsOf = (list = []) =>
  list.map((e) => ({ extensionType: extensionNames[e.type] ?? e.type, extensionData: bytesOf(e, "data") }));

function decode(hex, wireformat) {
  const input = fromHex(hex);
  const decoded = mls.decodeMlsMessage(input, 0);
  if (decoded === undefined || decoded[1] !== input.length) throw new Error("ts-mls: not one MLSMessage");
  if (wireformat && decoded[0].wireformat !== wireformat) throw new Error(`ts-mls: ${decoded[0].wireformat}`);
  return decoded[0];
}
const encodeMessage = (wireformat, body) => toHex(mls.encodeMlsMessage({ version: "mls10", wireformat, ...body }));
const encodeTree = (tree) => toHex(encodeRatchetTree(tree));
const decodeTree = (hex) => (hex === undefined ? undefined : decodeRatchetTree(fromHex(hex), 0)[0]);

// refusesTree(hex): ts-mls refuses a valid tree where two ancestors of an unmerged leaf do not list the same leaves.
export function refusesTree(hex) {
  const tree = decodeTree(hex);
  const level = (x) => Math.clz32(~x & (x + 1)) ^ 31;
  const under = (leaf, x) => Math.abs(2 * leaf - x) < 1 << level(x);
  return tree.some(
    (node, x) =>
      node?.nodeType === "parent" &&
      node.parent.unmergedLeaves.some((leaf) =>
        tree.some(
          (other, y) =>
            other?.nodeType === "parent" &&
            under(leaf, y) &&
            y !== x &&
            String(other.parent.unmergedLeaves) !== String(node.parent.unmergedLeaves),
        ),
      ),
  );
}

class Client {
  groups = new Map();
  pending = new Map();
  packages = [];
  keys = new Map();
  psks = {};
  updates = []; // private keys of the own Update proposals: { group, publicKey, privateKey }

  async setUp(request) {
    this.suite = request.suite;
    this.cs = await suiteOf(request.suite);
    this.credential = { credentialType: "basic", identity: bytesOf(request, "identity") };
    this.public = request.handshakes === "public";
    this.treeInWelcome = request.tree_in_welcome ?? true;
    this.extensions = request.extensions ?? [];
    this.unhelped = request.without_help;
    return {};
  }

  index(state) {
    return mls.makePskIndex(state, this.psks);
  }

  // HELP: the signature keys of NIST curves that ts-mls makes are compressed points, against RFC 9420 5.1.1.
  async signatureKey(suite) {
    if (!this.keys.has(suite)) {
      const curve = this.unhelped !== "signature keys" && { 2: p256, 5: p521, 7: p384 }[suite];
      const signKey = curve && curve.utils.randomSecretKey();
      this.keys.set(
        suite,
        curve
          ? { signKey, publicKey: curve.getPublicKey(signKey, false) }
          : await (await suiteOf(suite)).signature.keygen(),
      );
    }
    return this.keys.get(suite);
  }

  async makePackage(suite = this.suite) {
    const cs = await suiteOf(suite);
    const now = BigInt(Math.floor(Date.now() / 1000));
    const capabilities = {
      versions: ["mls10"],
      ciphersuites: [...Object.keys(mls.ciphersuites), String(0x3a3a)],
      extensions: [...this.extensions, 0x4a4a],
      proposals: [0x5a5a],
      credentials: ["basic", "x509", String(0x6a6a)],
    };
    const made = await mls.generateKeyPackageWithKey(
      this.credential,
      capabilities,
      { notBefore: now - 3600n, notAfter: now + 86400n },
      [],
      await this.signatureKey(suite),
      cs,
    );
    this.packages.push({ ...made, suite, reference: await makeKeyPackageRef(made.publicPackage, cs.hash) });
    return made;
  }

  async key_package(request) {
    const { publicPackage } = await this.makePackage(request.suite);
    return { key_package: encodeMessage("mls_key_package", { keyPackage: publicPackage }) };
  }

  async psk(request) {
    this.psks[mls.bytesToBase64(bytesOf(request, "psk_id"))] = bytesOf(request, "psk");
    return {};
  }

  async create(request) {
    const { publicPackage, privatePackage } = await this.makePackage();
    this.packages.pop();
    this.groups.set(
      request.group,
      await mls.createGroup(
        bytesOf(request, "group_id"),
        publicPackage,
        privatePackage,
        extensionsOf(request.extensions),
        this.cs,
      ),
    );
    return {};
  }

  async join(request) {
    const { welcome } = decode(request.welcome, "mls_welcome");
    const mine = this.packages.find((p) => welcome.secrets.some((s) => same(s.newMember, p.reference)));
    if (mine === undefined) throw new Error("ts-mls: a Welcome for somebody else");
    const before = this.groups.get(request.predecessor);
    const tree = decodeTree(request.ratchet_tree);
    const { publicPackage, privatePackage } = mine;
    let joined;
    if (before?.groupActiveState.kind === "suspendedPendingReinit")
      joined = await mls.joinGroupFromReinit(before, welcome, publicPackage, privatePackage, tree);
    else if (before)
      joined = await mls.joinGroupFromBranch(before, welcome, publicPackage, privatePackage, tree, this.cs);
    else
      joined = await mls.joinGroup(
        welcome,
        publicPackage,
        privatePackage,
        this.index(),
        await suiteOf(mine.suite),
        tree,
      );
    this.groups.set(request.group, joined);
    this.packages.splice(this.packages.indexOf(mine), 1);
    return {};
  }

  async external_join(request) {
    const { groupInfo } = decode(request.group_info, "mls_group_info");
    const { publicPackage, privatePackage } = await this.makePackage();
    this.packages.pop();
    // HELP: ts-mls reads the data of external_pub as the key itself, without the length before it (RFC 9420 12.4.3.2).
    const find = groupInfo.extensions.find.bind(groupInfo.extensions);
    if (this.unhelped !== "external_pub")
      groupInfo.extensions.find = (wanted) => {
        const e = find(wanted);
        return e?.extensionType === "external_pub" ? { ...e, extensionData: withoutHeader(e.extensionData) } : e;
      };
    const joined = await mls.joinGroupExternal(
      groupInfo,
      publicPackage,
      privatePackage,
      request.resync ?? false,
      this.cs,
      decodeTree(request.ratchet_tree),
    );
    this.groups.set(request.group, joined.newState);
    return { commit: encodeMessage("mls_public_message", { publicMessage: joined.publicMessage }) };
  }

  async propose_add(request) {
    const { publicPackage, privatePackage } = await this.makePackage();
    const info = {
      groupContext: {
        version: "mls10",
        cipherSuite: this.cs.name,
        groupId: bytesOf(request, "group_id"),
        epoch: BigInt(request.epoch),
        extensions: [],
      },
    };
    const message = await mls.proposeAddExternal(info, publicPackage, privatePackage, this.cs);
    return { proposal: toHex(mls.encodeMlsMessage(message)) };
  }

  async forget(request) {
    this.groups.delete(request.group);
    this.pending.delete(request.group);
    return {};
  }

  async proposalOf(p, state, group) {
    switch (p.type) {
      case "add":
        return { proposalType: "add", add: { keyPackage: decode(p.key_package, "mls_key_package").keyPackage } };
      case "remove":
        return { proposalType: "remove", remove: { removed: p.leaf } };
      case "update":
        return { proposalType: "update", update: { leafNode: await this.newLeaf(state, group) } };
      case "psk": {
        const id =
          p.psk_id === undefined
            ? {
                psktype: "resumption",
                usage: "application",
                pskGroupId: bytesOf(p, "group_id"),
                pskEpoch: BigInt(p.epoch),
              }
            : { psktype: "external", pskId: bytesOf(p, "psk_id") };
        return {
          proposalType: "psk",
          psk: { preSharedKeyId: { ...id, pskNonce: this.cs.rng.randomBytes(this.cs.kdf.size) } },
        };
      }
      case "reinit":
        return {
          proposalType: "reinit",
          reinit: {
            groupId: bytesOf(p, "group_id"),
            version: "mls10",
            cipherSuite: names[p.suite],
            extensions: extensionsOf(p.extensions),
          },
        };
      case "group_context_extensions":
        return {
          proposalType: "group_context_extensions",
          groupContextExtensions: { extensions: extensionsOf(p.extensions) },
        };
    }
    throw new Error(`ts-mls: no proposal ${p.type}`);
  }

  // HELP: ts-mls makes no leaf for an Update and does not keep its key.
  async newLeaf(state, group) {
    const { leafIndex } = state.privatePath;
    const { leaf } = state.ratchetTree[2 * leafIndex];
    const key = await this.cs.hpke.generateKeyPair();
    const publicKey = await this.cs.hpke.exportPublicKey(key.publicKey);
    this.updates.push({ group, publicKey, privateKey: await this.cs.hpke.exportPrivateKey(key.privateKey) });
    return signLeafNodeCommit(
      {
        leafNodeSource: "update",
        hpkePublicKey: publicKey,
        signaturePublicKey: leaf.signaturePublicKey,
        credential: leaf.credential,
        capabilities: leaf.capabilities,
        extensions: leaf.extensions,
        groupId: state.groupContext.groupId,
        leafIndex,
      },
      state.signaturePrivateKey,
      this.cs.signature,
    );
  }

  async propose(request, state) {
    const proposal = await this.proposalOf(request.proposal, state, request.group);
    const made = await mls.createProposal(state, this.public, proposal, this.cs);
    this.groups.set(request.group, made.newState);
    return { proposal: toHex(mls.encodeMlsMessage(made.message)) };
  }

  async commit(request, state) {
    const extraProposals = [];
    for (const p of request.proposals ?? []) extraProposals.push(await this.proposalOf(p, state, request.group));
    const made = await mls.createCommit(
      { state, pskIndex: this.index(state), cipherSuite: this.cs },
      {
        wireAsPublicMessage: this.public,
        extraProposals,
        ratchetTreeExtension: this.treeInWelcome,
        authenticatedData: bytesOf(request, "authenticated_data"),
      },
    );
    this.pending.set(request.group, made.newState);
    const out = { commit: toHex(mls.encodeMlsMessage(made.commit)) };
    if (made.welcome) {
      out.welcome = encodeMessage("mls_welcome", { welcome: made.welcome });
      out.ratchet_tree = encodeTree(made.newState.ratchetTree);
    }
    return out;
  }

  async apply(request) {
    this.groups.set(request.group, this.pending.get(request.group));
    this.pending.delete(request.group);
    return { kind: "commit" };
  }

  async process(request, state) {
    const message = decode(request.message);
    const open = (from, decide) =>
      message.wireformat === "mls_public_message"
        ? mls.processPublicMessage(from, message.publicMessage, this.index(state), this.cs, decide)
        : mls.processPrivateMessage(from, message.privateMessage, this.index(state), this.cs, decide);
    // HELP: the key of an own Update takes effect with the commit that covers it.
    let from = state;
    if (this.updates.some((u) => u.group === request.group)) {
      let key;
      await open(state, ({ kind, proposals = [] }) => {
        for (const { proposal, senderLeafIndex } of proposals)
          if (proposal.proposalType === "update" && senderLeafIndex === state.privatePath.leafIndex)
            key = this.updates.find((u) => same(u.publicKey, proposal.update.leafNode.hpkePublicKey)).privateKey;
        return kind === "commit" ? "reject" : "accept";
      });
      if (key) {
        const privateKeys = { ...state.privatePath.privateKeys, [2 * state.privatePath.leafIndex]: key };
        from = { ...state, privatePath: { ...state.privatePath, privateKeys } };
      }
    }
    const done = await open(from);
    this.groups.set(request.group, done.newState);
    if (done.kind === "applicationMessage")
      return {
        kind: "application",
        plaintext: toHex(done.message),
        authenticated_data: toHex(message.privateMessage.authenticatedData),
      };
    if (
      done.newState.groupContext.epoch === state.groupContext.epoch &&
      done.newState.groupActiveState.kind === "active"
    )
      return { kind: "proposal" };
    this.updates = this.updates.filter((u) => u.group !== request.group);
    return { kind: "commit" };
  }

  unprotect(request, state) {
    return this.process(request, state);
  }

  async protect(request, state) {
    const made = await mls.createApplicationMessage(
      state,
      bytesOf(request, "plaintext"),
      this.cs,
      bytesOf(request, "authenticated_data"),
    );
    this.groups.set(request.group, made.newState);
    return { message: encodeMessage("mls_private_message", { privateMessage: made.privateMessage }) };
  }

  async export(request, state) {
    return {
      secret: toHex(
        await mls.mlsExporter(
          state.keySchedule.exporterSecret,
          request.label,
          bytesOf(request, "context"),
          request.length,
          this.cs,
        ),
      ),
    };
  }

  // HELP: ts-mls writes the data of external_pub as the key itself (RFC 9420 12.4.3.2).
  async group_info(request, state) {
    if (this.unhelped === "external_pub")
      return {
        group_info: encodeMessage("mls_group_info", {
          groupInfo: await mls.createGroupInfoWithExternalPubAndRatchetTree(state, [], this.cs),
        }),
      };
    const { publicKey } = await this.cs.hpke.deriveKeyPair(state.keySchedule.externalSecret);
    const extensions = [
      { extensionType: "external_pub", extensionData: opaque(await this.cs.hpke.exportPublicKey(publicKey)) },
    ];
    const tree = encodeRatchetTree(state.ratchetTree);
    if (request.ratchet_tree ?? true) extensions.push({ extensionType: "ratchet_tree", extensionData: tree });
    const groupInfo = await createGroupInfo(state.groupContext, state.confirmationTag, state, extensions, this.cs);
    return { group_info: encodeMessage("mls_group_info", { groupInfo }), ratchet_tree: toHex(tree) };
  }

  async succeeded(request, made) {
    this.groups.set(request.new_group, made.newState);
    return {
      welcome: encodeMessage("mls_welcome", { welcome: made.welcome }),
      ratchet_tree: encodeTree(made.newState.ratchetTree),
    };
  }
  async reinit(request, state) {
    const { suite } = request;
    const next = state.groupActiveState.reinit;
    const { publicPackage, privatePackage } = await this.makePackage(suite);
    this.packages.pop();
    return this.succeeded(
      request,
      await mls.reinitCreateNewGroup(
        state,
        publicPackage,
        privatePackage,
        request.key_packages.map((p) => decode(p, "mls_key_package").keyPackage),
        next.groupId,
        next.cipherSuite,
        next.extensions,
      ),
    );
  }
  async branch(request, state) {
    const { publicPackage, privatePackage } = await this.makePackage();
    this.packages.pop();
    return this.succeeded(
      request,
      await mls.branchGroup(
        state,
        publicPackage,
        privatePackage,
        request.key_packages.map((p) => decode(p, "mls_key_package").keyPackage),
        bytesOf(request, "group_id"),
        this.cs,
      ),
    );
  }

  async state(request, state) {
    const { groupContext, keySchedule, ratchetTree, groupActiveState } = state;
    return {
      active: groupActiveState.kind !== "removedFromGroup",
      reinitialized: groupActiveState.kind === "suspendedPendingReinit",
      group_id: toHex(groupContext.groupId),
      epoch: Number(groupContext.epoch),
      epoch_authenticator: toHex(keySchedule.epochAuthenticator),
      group_context: toHex(encode(groupContextEncoder)(groupContext)),
      tree_hash: toHex(groupContext.treeHash),
      leaf: state.privatePath.leafIndex,
      members: ratchetTree.flatMap((n, x) =>
        n?.nodeType === "leaf" ? [{ leaf: x / 2, identity: toHex(n.leaf.credential.identity) }] : [],
      ),
    };
  }
}

export class TsMls {
  name = "ts-mls";
  clients = new Map();

  async call(request) {
    const { op, client } = request;
    if (op === "client") {
      this.clients.set(client, new Client());
      return this.clients.get(client).setUp(request);
    }
    const one = this.clients.get(client);
    const group = request.group ?? "main";
    const outside = ["psk", "key_package", "create", "join", "external_join", "propose_add", "forget"];
    const state = one.groups.get(group);
    if (state === undefined && !outside.includes(op)) throw new Error(`ts-mls: no group ${group}`);
    one.cs = await suiteOf(state ? mls.ciphersuites[state.groupContext.cipherSuite] : one.suite);
    return one[op]({ ...request, group }, state);
  }

  close() {}
}
