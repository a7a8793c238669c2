// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Any bytes as a structure of MLS. An input that begins with a zero byte, as every version does, is an MLSMessage; else the
/// first byte chooses a structure and the rest is its encoding. The oracle: what decodes is the one encoding of what it
/// says. Written again field by field it gives the input, through the library too, and neither a byte more nor a byte less
/// is accepted as the same.
#include <support/mls_rewriter.hpp>

#include "support/oracle.hpp"

#include <conclave/mls/leaf_validation.hpp>
#include <conclave/mls/protection.hpp>
#include <conclave/mls/sender_rules.hpp>
#include <conclave/mls/snapshot.hpp>

namespace {

using namespace conclave;
using conclave_fuzz::require;

void same(byte_view rewritten, byte_view again, byte_view input) {
  require(equal(rewritten, input), "the fields say something else than the bytes");
  require(equal(again, input), "encoding does not give the input");
}

/// check(input, decode): decode gives one structure and nothing after it.
template <class F>
void check(byte_view input, F&& decode) {
  const auto decoded = decode(input);
  if (!decoded) return;
  bytes rewritten;
  conclave_test::rewriter{writer{rewritten}}(*decoded);
  same(rewritten, wire::encode(*decoded), input);
  if (!input.empty()) require(!decode(input.first(input.size() - 1)), "it was accepted without its last byte");
  bytes longer = to_bytes(input);
  longer.push_back(0);
  require(!decode(longer), "it was accepted with a byte behind it");
}

template <class T>
void check(byte_view input) {
  check(input, [](byte_view x) { return wire::decode<T>(x); });
}

template <class... T>
void choose(std::size_t which, byte_view input) {
  constexpr void (*checks[])(byte_view) = {check<T>...};
  checks[which % sizeof...(T)](input);
}

void message(byte_view input) {
  check(input, mls::message::decode);
  const auto decoded = mls::message::decode(input);
  if (!decoded || decoded->format != mls::wire_format::group_info) return;
  const auto tree = find(decoded->group_info->extensions, mls::extension_type::ratchet_tree);
  if (tree) check<wire::list<std::optional<mls::node>>>(*tree);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace conclave::mls;
  if (size == 0) return 0;
  const byte_view input{data, size};
  if (input[0] == 0)
    ::message(input);
  else
    choose<key_package, leaf_node, wire::list<std::optional<node>>, parent_node, credential, capabilities,
           wire::list<extension>, required_capabilities, wire::list<external_sender>, proposal,
           wire::list<proposal_or_ref>, commit, update_path, framed_content, public_message, private_message, welcome,
           group_info, group_context, group_secrets, pre_shared_key_id, psk_label, conclave::mls::reinit,
           hpke_ciphertext, sender_data, sender, wire::list<encrypted_group_secrets>, wire::list<byte_view>,
           snapshot_header>(input[0] - 1U, input.subspan(1));
  return 0;
}
