// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// public_epoch: what everybody who follows the handshakes of a group knows of an epoch, secrets or not.
#pragma once

#include <conclave/mls/group_context.hpp>
#include <conclave/mls/ratchet_tree.hpp>
#include <conclave/mls/transcript.hpp>
#include <conclave/mls/welcome.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// public_epoch<P>: the ratchet tree and the GroupContext, and the transcript up to here.
template <crypto_provider P>
struct public_epoch {
  bytes group_id;
  std::uint64_t number = 0;
  bytes extensions;  ///< the items of GroupContext.extensions
  ratchet_tree<P> tree;
  digest confirmed_transcript_hash;
  digest interim_transcript_hash;
  digest confirmation_tag;
  bytes context;  ///< the encoded GroupContext

  explicit public_epoch(const ratchet_tree<P>& t) : tree{t} {}

  /// described_by(info, tree): the epoch of a GroupInfo that goes with this tree. Errors: over_limit (a transcript hash
  /// longer than any), unauthentic (a confirmation tag of another length than any).
  [[nodiscard]] static result<public_epoch> described_by(const group_info& info, const ratchet_tree<P>& tree) {
    public_epoch out(tree);
    out.group_id = to_bytes(info.context.group_id);
    out.number = info.context.epoch;
    out.extensions = to_bytes(info.context.extensions.encoded());
    CONCLAVE_TRY(out.confirmed_transcript_hash, digest::copy_of(info.context.confirmed_transcript_hash));
    out.context = wire::encode(info.context);
    if (info.confirmation_tag.size() != out.suite().nh()) return failure{errc::unauthentic, rules::confirmation_tag};
    CONCLAVE_TRY(const auto tag, digest::copy_of(info.confirmation_tag));
    out.confirm(tag);
    return out;
  }

  [[nodiscard]] const basic_suite<P>& suite() const noexcept { return tree.suite(); }
  [[nodiscard]] extension_list extension_items() const { return *extension_list::check(extensions); }

  /// encode_context(transcript_hash): the GroupContext for the present tree and the given transcript hash.
  [[nodiscard]] bytes encode_context(byte_view transcript_hash) {
    group_context out;
    const digest tree_hash = tree.tree_hash();
    out.suite = suite().id();
    out.group_id = group_id;
    out.epoch = number;
    out.tree_hash = tree_hash.view();
    out.confirmed_transcript_hash = transcript_hash;
    out.extensions = extension_items();
    return wire::encode(out);
  }

  /// succeed(before, extensions): takes the place behind another epoch, with its extensions where there are no others.
  /// exhausted behind the last number there is, which whoever founds a group can begin with: 0 would be an old epoch.
  [[nodiscard]] status succeed(const public_epoch& before, const std::optional<extension_list>& new_extensions) {
    if (before.number == ~std::uint64_t{0}) return errc::exhausted;
    group_id = before.group_id;
    number = before.number + 1;
    extensions = new_extensions ? to_bytes(new_extensions->encoded()) : before.extensions;
    return {};
  }

  /// record(before, format, content, signature): the commit that leads here enters the transcript, and completes the
  /// context (RFC 9420 8.2). The tree is that of the new epoch.
  void record(const public_epoch& before, wire_format format, byte_view content, byte_view signature) {
    confirmed_transcript_hash =
        mls::confirmed_transcript_hash(suite(), before.interim_transcript_hash.view(), format, content, signature);
    context = encode_context(confirmed_transcript_hash.view());
  }

  /// confirm(tag): the confirmation tag of the commit that led here; the interim transcript hash follows from it.
  void confirm(const digest& tag) {
    confirmation_tag = tag;
    interim_transcript_hash = mls::interim_transcript_hash(suite(), confirmed_transcript_hash.view(), tag.view());
  }
};

}  // namespace conclave::mls
