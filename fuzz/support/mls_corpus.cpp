// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// fuzz_mls_corpus DIR: writes seeds for fuzz/mls_message.cpp: every kind of message of a small group, in both framings.
#include <conclave/mls/group.hpp>

#include <cstdio>
#include <string>

namespace {

using namespace conclave;
using namespace conclave::mls;

template <class T>
T must(result<T>&& r) {
  if (!r) {
    std::fprintf(stderr, "%s\n", r.error().message());
    std::exit(1);
  }
  return *std::move(r);
}

void save(const std::string& folder, const std::string& name, byte_view content) {
  std::FILE* file = std::fopen((folder + "/" + name).c_str(), "wb");
  if (file == nullptr || std::fwrite(content.data(), 1, content.size(), file) != content.size()) std::exit(1);
  (void)std::fclose(file);
}

client make_client(environment& env, std::string_view name) {
  client out;
  out.signer = must(signature_key::generate<default_provider>(env, signature_scheme::ed25519));
  out.credential = to_bytes(as_bytes(name));
  return out;
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

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  system_environment env;
  write_seeds(env, argv[1], wire_format::public_message);
  write_seeds(env, argv[1], wire_format::private_message);
}
