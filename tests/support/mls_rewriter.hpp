// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Writing MLS structures field by field. Encoding through the library copies what located values and lists remember of
/// their encoding; this does not, so that a decoder which skips or misreads a byte is found.
#pragma once

#include <conclave/mls/message.hpp>
#include <conclave/mls/ratchet_tree.hpp>

namespace conclave_test {

using namespace conclave;
using namespace conclave::mls;

template <class T>
struct is_located : std::false_type {};
template <class T>
struct is_located<wire::located<T>> : std::true_type {};

/// basic_rewriter: writes any structure of MLS from its decoded fields. A writer that has a presence(bool) is asked to write
/// the octet before an optional value.
template <class Writer>
struct basic_rewriter {
  Writer out;

  template <class T>
  void operator()(const T& v) {
    if constexpr (is_located<T>::value) {
      (*this)(v.value);
    } else if constexpr (wire::is_list<T>::value) {
      out.vector([&] {
        for (const auto& element : v) (*this)(element);
      });
    } else if constexpr (wire::is_optional<T>::value) {
      if constexpr (requires { out.presence(true); })
        out.presence(v.has_value());
      else
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
      (*this)(*wire::decode<leaf_node>(v.content));
    else
      (*this)(*wire::decode<parent_node>(v.content));
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

using rewriter = basic_rewriter<writer>;

}  // namespace conclave_test
