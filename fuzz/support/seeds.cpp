// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// fuzz_seeds DIR: writes seeds into DIR/<target>, the same ones in every run: for mls_message every kind of message of a
// small group, in both framings, and what they are made of; for fuzzers that read scripts, scripts by chance.
#include "../../tests/mls/observers.hpp"

#include <conclave/meeting/lobby.hpp>
#include <conclave/sas/code.hpp>

#include <cstdio>
#include <filesystem>
#include <string>

namespace {

using namespace mls_test;

void save(const std::string& folder, const std::string& name, byte_view content) {
  std::FILE* file = std::fopen((folder + "/" + name).c_str(), "wb");
  if (file == nullptr || std::fwrite(content.data(), 1, content.size(), file) != content.size()) std::exit(1);
  (void)std::fclose(file);
}

void write_seeds(environment& env, const std::string& folder, wire_format format) {
  const std::string kind = format == wire_format::public_message ? "public" : "private";
  constexpr auto suite = cipher_suite::mls_128_dhkemx25519_aes128gcm_sha256_ed25519;
  const auto s = must(basic_suite<default_provider>::make(suite));
  group_policy policy;
  policy.handshakes = format;
  group alice = must(group::create(env, suite, make_client(env, "alice"), as_bytes("seed"), {}, policy));
  client bob_client = make_client(env, "bob");
  auto package = must(make_key_package<default_provider>(env, s, bob_client, {}));
  const auto spare = must(make_key_package<default_provider>(env, s, make_client(env, "carol"), {}));
  save(folder, "key_package", package.message);
  const byte_view add = package.message;
  auto commit = must(alice.commit(env, {{&add, 1}}));
  save(folder, kind + "_commit_add", commit.message());
  save(folder, "welcome", commit.welcome());
  group bob = must(group::join(env, std::move(bob_client), std::move(package), commit.welcome(), {}, policy));
  must(alice.apply(std::move(commit)));
  save(folder, kind + "_application", must(bob.protect(env, as_bytes("hello"), as_bytes("data"))));
  save(folder, kind + "_add", must(bob.propose_add(env, spare.message)));
  save(folder, kind + "_update", must(bob.propose_update(env)));
  save(folder, kind + "_remove", must(bob.propose_remove(env, bob.own_leaf())));
  proposal psk;
  const bytes nonce(s.nh());
  psk.type = proposal_type::psk;
  psk.psk = {psk_type::external, as_bytes("id"), {}, {}, 0, nonce};
  save(folder, kind + "_psk", must(bob.propose(env, psk)));
  proposal reinit_wish;
  reinit_wish.type = proposal_type::reinit;
  reinit_wish.reinit = {as_bytes("next"), protocol_version::mls10, suite, {}};
  save(folder, kind + "_reinit", must(bob.propose(env, reinit_wish)));
  proposal extensions;
  extensions.type = proposal_type::group_context_extensions;
  save(folder, kind + "_extensions", must(bob.propose(env, extensions)));
  save(folder, "group_info", must(alice.group_info(env, {true, true})));
  const bytes info = must(alice.group_info(env, {true, true}));
  auto outsider = must(group::join_external(env, make_client(env, "dave"), info, {}, policy));
  save(folder, "external_commit", outsider.commit);
}

/// What fuzz/mls_message.cpp calls by a number before it.
void write_structures(const std::string& folder) {
  party_options options;
  options.policy.handshakes = wire_format::public_message;
  party p(5, options);
  p.commit(1);
  p.commit(4);
  const auto numbered = [&](std::uint8_t number, const std::string& name, byte_view content) {
    bytes out{number};
    append(out, content);
    save(folder, "structure_" + name, out);
  };
  const auto in_vector = [](byte_view items) {
    bytes out;
    writer{out}.opaque(items);
    return out;
  };
  const auto package = must(message::decode(p.package(p.arrive())));
  numbered(1, "key_package", package.key_package.encoded);
  numbered(2, "leaf_node", package.key_package->leaf.encoded);
  numbered(3, "ratchet_tree", in_vector(p[0].ratchet_tree_items()));
  numbered(4, "parent_node", p[0].tree().encoded(p[0].tree().top()));
  numbered(6, "capabilities", wire::encode(package.key_package->leaf->capabilities));
  auto pending = p.prepare(2, {{p.size() - 1}, {3}});
  const auto commit = must(message::decode(pending.message()));
  const framed_content& content = commit.public_message.content.value;
  numbered(11, "proposals", wire::encode(content.body.commit.proposals));
  numbered(12, "commit", content.body.encoded);
  numbered(13, "update_path", wire::encode(*content.body.commit.path));
  numbered(14, "framed_content", wire::encode(content));
  const auto info = must(p[0].group_info(p.env, {true, true}));
  const auto decoded_info = must(message::decode(info));
  numbered(18, "group_info", decoded_info.group_info.encoded);
  numbered(19, "group_context", p[0].group_context());
  const bytes nonce(32, 1);
  numbered(21, "psk",
           wire::encode(
               pre_shared_key_id{psk_type::resumption, {}, resumption_psk_usage::branch, as_bytes("group"), 7, nonce}));
  numbered(29, "snapshot_header", wire::encode(snapshot_header{}));
}

/// What fuzz/meeting_bytes.cpp calls by a number before it.
void write_meeting_bytes(const std::string& folder) {
  const auto numbered = [&](std::uint8_t number, const std::string& name, byte_view content) {
    bytes out{number};
    append(out, content);
    save(folder, name, out);
  };
  numbered(0, "chat", wire::encode(chat_content{text_kind::chat, 1, as_bytes("hello")}));
  numbered(
      0, "note",
      wire::encode(chat_content{text_kind::note, 1U << 20U, as_bytes("z\xc3\xbc, \xe2\x82\xac, \xf0\x9f\x8e\x89")}));
  numbered(0, "nothing", wire::encode(chat_content{text_kind::chat, 2, {}}));
  numbered(0, "surrogate", bytes{'c', 't', 'x', 't', 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0xed, 0xa0, 0x80});
  numbered(0, "longest", wire::encode(chat_content{text_kind::chat, 3, bytes(limits::chat_bytes, 'a')}));
  numbered(0, "too_long", wire::encode(chat_content{text_kind::chat, 3, bytes(limits::chat_bytes + 1, 'a')}));
  client_claims claims{platform::mobile_ios, client_experience::app, audio_route::call_in, true, {}};
  claims.version.parts = {41, 7, 0, 1};
  numbered(1, "claims", wire::encode(claims));
  bytes spoilt = wire::encode(claims);
  spoilt[4] = 2;
  numbered(1, "flag", spoilt);
  claims.platform = platform{99};
  numbered(1, "newer_claims", wire::encode(claims));
  numbered(2, "answer", wire::encode(admission_answer{{admission_verdict::refused, admission_reason::full, 200, {}}}));
  numbered(2, "newer_answer", wire::encode(admission_answer{{admission_verdict::lobby, admission_reason{200}, 0, {}}}));
  spoilt = wire::encode(admission_answer{});
  spoilt[1] = 3;
  numbered(2, "verdict", spoilt);
  const auto code = sas::machine_code::make<default_provider>(hash_id::sha256, bytes(32, 1), 7);
  numbered(3, "camera", code.payload());
  meeting_parameters p;
  encoded_roles roles = with_role({}, bytes(32, 2), role::host);
  p.roles = roles.list();
  numbered(4, "parameters", wire::encode(p));
  const bytes high(32, 2), low(32, 1);
  roles = {wire::encode_items(std::array{role_entry{high, role::host}, role_entry{low, role::co_host}}), 2};
  p.roles = roles.list();
  numbered(4, "unsorted", wire::encode(p));
  roles = with_role({}, high, role::host);
  p.roles = roles.list();
  for (std::uint8_t i = 3; i < 6; ++i) {
    roles = with_role(p.roles, bytes(32, i), role::co_host);
    p.roles = roles.list();
  }
  p.door = door::sealed;
  numbered(4, "roles", wire::encode(p));
}

/// Scripts of any bytes, the first of which choose among `modes`.
void write_scripts(environment& env, const std::string& folder, unsigned modes, unsigned each, std::size_t longest) {
  for (unsigned i = 0; i < modes * each; ++i) {
    bytes script(longest * (i / modes + 1) / each + 1);
    must(env.random(script));
    script[0] = static_cast<std::uint8_t>(i % modes * (256 / modes + 1));  // in its low bits and in its high ones
    save(folder, "script_" + std::to_string(i), script);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto folder = [&](const char* target) {
    const std::filesystem::path out = std::filesystem::path{argv[1]} / target;
    std::filesystem::create_directories(out);
    return out.string();
  };
  deterministic_environment env(1);
  write_seeds(env, folder("mls_message"), wire_format::public_message);
  write_seeds(env, folder("mls_message"), wire_format::private_message);
  write_structures(folder("mls_message"));
  write_scripts(env, folder("group"), 3, 16, 240);
  write_meeting_bytes(folder("meeting_bytes"));
  write_scripts(env, folder("kernels"), 4, 8, 200);
  write_scripts(env, folder("hpke"), 8, 4, 100);
  write_scripts(env, folder("chains"), 16, 4, 40);
  write_scripts(env, folder("snapshot"), 8, 5, 30);
  write_scripts(env, folder("meeting"), 8, 6, 160);
  write_scripts(env, folder("successor"), 3, 12, 80);
  // one bit of a membership tag, and of a sequence number
  save(folder("group"), "damaged_tag", bytes{1, 1, 7, 0, 1, 1168 >> 8U, 1168 & 255U, 3, 1});
  // the successor of two people with extensions that nobody has agreed on, and one that follows an older epoch
  save(folder("successor"), "other_extensions", bytes{0, 0, 0, 1, 1, 0, 0, 1, 15, 2, 1, 1, 1});
  save(folder("successor"), "link_to_an_older_epoch", bytes{0, 1, 0, 0, 1, 1, 0, 0, 1, 1, 1, 15, 1, 1});
  save(folder("snapshot"), "damaged_sequence", bytes{2, 1, 0, 0x13, 3, 1});
}
