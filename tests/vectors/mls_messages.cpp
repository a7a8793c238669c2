// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// messages: every structure decodes, and the decoded fields, written one by one, give the same bytes.
#include "mls.hpp"

#include <support/mls_rewriter.hpp>

namespace conclave_vectors::mls_kinds {
namespace {

/// Decodes a field completely and writes it again, by fields and through the library.
template <class T>
void check(const json& c, const char* name, auto&& is_right) {
  const bytes encoded = hex(c, name);
  const auto value = succeeds(wire::decode<T>(encoded), name);
  expect(is_right(value), std::string(name) + " is of another kind");
  bytes again;
  conclave_test::rewriter{writer{again}}(value);
  expect_equal(again, encoded, std::string(name) + ", written by fields");
  if constexpr (requires { wire::encode(value); } && !wire::is_list<T>::value)
    expect_equal(wire::encode(value), encoded, std::string(name) + ", encoded");
  // nothing shorter and nothing longer is the same structure
  fails(wire::decode<T>(byte_view{encoded}.first(encoded.size() - 1)), errc::malformed, std::string(name) + ", cut");
  bytes longer = encoded;
  longer.push_back(0);
  fails(wire::decode<T>(longer), errc::malformed, std::string(name) + " with a byte more");
}
template <class T>
void check(const json& c, const char* name) {
  check<T>(c, name, [](const T&) { return true; });
}

void check_message(const json& c, const char* name, wire_format format) {
  check<message>(c, name, [&](const message& m) { return m.format == format; });
}
void check_public(const json& c, const char* name, content_type type) {
  check<message>(c, name, [&](const message& m) {
    return m.format == wire_format::public_message && m.public_message.content->body.type == type;
  });
}

}  // namespace

void messages(const json& c) {
  check_message(c, "mls_welcome", wire_format::welcome);
  check_message(c, "mls_group_info", wire_format::group_info);
  check_message(c, "mls_key_package", wire_format::key_package);
  check<wire::list<std::optional<node>>>(c, "ratchet_tree");
  check<group_secrets>(c, "group_secrets");

  // the bodies of proposals, without their type
  check<located_key_package>(c, "add_proposal");
  check<located_leaf>(c, "update_proposal");
  check<leaf_index>(c, "remove_proposal");
  check<pre_shared_key_id>(c, "pre_shared_key_proposal");
  check<reinit>(c, "re_init_proposal");
  check<byte_view>(c, "external_init_proposal");
  check<extension_list>(c, "group_context_extensions_proposal");
  check<commit>(c, "commit");

  check_public(c, "public_message_application", content_type::application);
  check_public(c, "public_message_proposal", content_type::proposal);
  check_public(c, "public_message_commit", content_type::commit);
  check_message(c, "private_message", wire_format::private_message);
}

}  // namespace conclave_vectors::mls_kinds
