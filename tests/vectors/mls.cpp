// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mls.hpp"
#include "registry.hpp"

namespace conclave_vectors {
namespace {

struct kind {
  std::string_view name;  // what the name of its files begins with
  std::initializer_list<const char*> fields;
  void (*run)(const json&);
};

const kind kinds[] = {
    {"tree-math", {"n_leaves", "n_nodes", "root", "sibling"}, mls_kinds::tree_math},
    {"deserialization", {"vlbytes_header", "length"}, mls_kinds::deserialization},
    {"crypto-basics", {"ref_hash", "expand_with_label", "encrypt_with_label"}, mls_kinds::crypto_basics},
    {"key-schedule", {"initial_init_secret", "epochs"}, mls_kinds::key_schedule},
    {"psk_secret", {"psks", "psk_secret"}, mls_kinds::psk_secret},
    {"secret-tree", {"encryption_secret", "sender_data", "leaves"}, mls_kinds::secret_tree},
    {"transcript-hashes", {"authenticated_content", "interim_transcript_hash_after"}, mls_kinds::transcript_hashes},
    {"message-protection", {"proposal_priv", "commit_priv", "application_priv"}, mls_kinds::message_protection},
    {"welcome", {"init_priv", "signer_pub", "key_package", "welcome"}, mls_kinds::welcome},
    {"tree-operations", {"tree_before", "proposal", "tree_after"}, mls_kinds::tree_operations},
    {"tree-validation", {"tree", "resolutions", "tree_hashes"}, mls_kinds::tree_validation},
    {"treekem", {"ratchet_tree", "leaves_private", "update_paths"}, mls_kinds::treekem},
    {"messages", {"mls_welcome", "ratchet_tree", "private_message"}, mls_kinds::messages},
    {"passive-client", {"welcome", "initial_epoch_authenticator", "epochs"}, mls_kinds::passive_client},
};

bool has_all(const json& c, const kind& k) {
  return c.is_object() && std::ranges::all_of(k.fields, [&](const char* field) { return c.contains(field); });
}

const kind* kind_of(const std::string& stem, const json& file) {
  for (const kind& k : kinds) {
    if (!stem.starts_with(k.name)) continue;
    if (!file.is_array() || (!file.empty() && !has_all(file.front(), k)))
      throw mismatch("called " + std::string(k.name) + ", but the content is of another kind");
    return &k;
  }
  if (!file.is_array() || file.empty()) return nullptr;
  const auto at = std::ranges::find_if(kinds, [&](const kind& k) { return has_all(file.front(), k); });
  return at == std::end(kinds) ? nullptr : at;
}

}  // namespace

std::optional<case_list> mls_cases(const std::string& stem, const json& file) {
  const kind* const k = kind_of(stem, file);
  if (!k) return std::nullopt;
  case_list out;
  for (const json& c : file) {
    vector_case next{"case " + std::to_string(out.size()), [k, &c] { k->run(c); }};
    if (c.contains("cipher_suite")) {
      next.suite = c.at("cipher_suite").get<std::uint16_t>();
      next.label += ", suite " + std::to_string(*next.suite);
    }
    next.needs_psk = c.contains("external_psks") && !c.at("external_psks").empty();
    out.push_back(std::move(next));
  }
  return out;
}

}  // namespace conclave_vectors
