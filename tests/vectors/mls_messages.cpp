// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// messages: every structure decodes, and the decoded fields, written one by one, give the same bytes. Encoding through
/// the library would copy what located values and lists remember of their encoding, so the writing is done here.
#include "mls.hpp"

#include <conclave/mls/message.hpp>
#include <conclave/mls/ratchet_tree.hpp>

namespace conclave_vectors::mls_kinds {
namespace {

template <class T>
struct is_located : std::false_type {};
template <class T>
struct is_located<wire::located<T>> : std::true_type {};

struct rewriter {
  writer out;

  template <class T>
  void operator()(const T& v) {
    if constexpr (is_located<T>::value) {
      (*this)(v.value);
    } else if constexpr (wire::is_list<T>::value) {
      out.vector([&] {
        for (const auto& element : v) (*this)(element);
      });
    } else if constexpr (wire::is_optional<T>::value) {
      out.number(static_cast<std::uint8_t>(v.has_value()));
      if (v) (*this)(*v);
    } else if constexpr (wire::has_fields<T>) {
      std::apply([&](const auto&... field) { ((*this)(field), ...); }, T::fields(v));
    } else {
      wire::write(out, v);
    }
  }
  template <class... T>
  void each(const T&... v) {
    ((*this)(v), ...);
  }

  void operator()(const leaf_node& v) {
    each(v.encryption_key, v.signature_key, v.credential, v.capabilities, v.source);
    if (v.source == leaf_node_source::key_package) (*this)(v.lifetime);
    if (v.source == leaf_node_source::commit) (*this)(v.parent_hash);
    each(v.extensions, v.signature);
  }
  void operator()(const node& v) {
    (*this)(v.type);
    if (v.type == node_type::leaf)
      (*this)(succeeds(wire::decode<leaf_node>(v.content), "a leaf of the tree"));
    else
      (*this)(succeeds(wire::decode<parent_node>(v.content), "a parent of the tree"));
  }
  void operator()(const proposal& v) {
    (*this)(v.type);
    body(v);
  }
  void body(const proposal& v) {
    switch (v.type) {
      case proposal_type::add: return (*this)(v.add);
      case proposal_type::update: return (*this)(v.update);
      case proposal_type::remove: return (*this)(v.remove);
      case proposal_type::psk: return (*this)(v.psk);
      case proposal_type::reinit: return (*this)(v.reinit);
      case proposal_type::external_init: return (*this)(v.external_init);
      case proposal_type::group_context_extensions: return (*this)(v.group_context_extensions);
      case proposal_type::self_remove: return;
    }
    (*this)(v.custom);
  }
  void operator()(const proposal_or_ref& v) {
    (*this)(v.type);
    v.type == proposal_or_ref_type::proposal ? (*this)(v.proposal) : (*this)(v.reference);
  }
  void operator()(const framed_content& v) {
    each(v.group_id, v.epoch, v.sender, v.authenticated_data, v.body.type);
    switch (v.body.type) {
      case content_type::application: return (*this)(v.body.application_data);
      case content_type::proposal: return (*this)(v.body.proposal);
      case content_type::commit: return (*this)(v.body.commit);
    }
  }
  void operator()(const public_message& v) {
    each(v.content, v.auth.signature);
    if (v.content->body.type == content_type::commit) (*this)(v.auth.confirmation_tag);
    if (v.content->sender.type == sender_type::member) (*this)(v.membership_tag);
  }
  void operator()(const message& v) {
    each(protocol_version::mls10, v.format);
    switch (v.format) {
      case wire_format::public_message: return (*this)(v.public_message);
      case wire_format::private_message: return (*this)(v.private_message);
      case wire_format::welcome: return (*this)(v.welcome);
      case wire_format::group_info: return (*this)(v.group_info);
      case wire_format::key_package: return (*this)(v.key_package);
    }
  }
};

/// Decodes a field completely and writes it again, by fields and through the library.
template <class T>
void check(const json& c, const char* name, auto&& is_right) {
  const bytes encoded = hex(c, name);
  const auto value = succeeds(wire::decode<T>(encoded), name);
  expect(is_right(value), std::string(name) + " is of another kind");
  bytes again;
  rewriter{writer{again}}(value);
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
