// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// proposal_cache: the proposals of an epoch that wait for a commit.
#pragma once

#include <conclave/mls/proposal_list.hpp>

#include <map>
#include <set>
#include <unordered_set>

namespace conclave::inline CONCLAVE_ABI::mls {

/// stored_proposal: a proposal that was valid when it came.
struct stored_proposal {
  authenticated_content content;
  digest reference;                          ///< ProposalRef
  std::optional<hpke::key_pair> own_update;  ///< the new leaf key, where it is an Update of this member

  [[nodiscard]] const mls::proposal& proposal() const noexcept { return content.content.body.proposal; }
  [[nodiscard]] const mls::sender& sender() const noexcept { return content.content.sender; }
};

/// append_item(writer, list, entry, reference): one ProposalOrRef; by value where there is no reference.
inline void append_item(writer& w, std::vector<listed_proposal>& list, const listed_proposal& entry,
                        byte_view reference = {}) {
  proposal_or_ref item;
  item.type = entry.by_reference ? proposal_or_ref_type::reference : proposal_or_ref_type::proposal;
  item.proposal = entry.proposal;
  item.reference = reference;
  item.write(w);
  list.push_back(entry);
}

/// resolved_proposals: a commit's, with those that it only refers to.
struct resolved_proposals {
  std::vector<listed_proposal> list;
  const hpke::key_pair* own_update = nullptr;  ///< the new leaf key, where an Update of this member is among them
};

/// proposal_cache: at most limits::pending_proposals and, but for the last one, limits::pending_proposal_bytes, in the
/// order they came.
class proposal_cache {
 public:
  [[nodiscard]] std::size_t size() const noexcept { return stored_.size(); }
  [[nodiscard]] bool empty() const noexcept { return stored_.empty(); }
  [[nodiscard]] bool full() const noexcept {
    return stored_.size() >= limits::pending_proposals || bytes_ >= limits::pending_proposal_bytes;
  }
  [[nodiscard]] const std::vector<stored_proposal>& all() const noexcept { return stored_; }

  /// add(suite, content, own_update): stores a proposal, and says what its reference is. One that is there already is
  /// not stored again.
  template <crypto_provider P>
  received_proposal add(const basic_suite<P>& s, authenticated_content&& content,
                        std::optional<hpke::key_pair> own_update = std::nullopt) {
    const digest reference = s.ref_hash("MLS 1.0 Proposal Reference", content.encoded);
    received_proposal out;
    out.type = content.content.body.proposal.type;
    out.reference = to_bytes(reference.view());
    // room first: should memory run out, nothing has changed yet
    if (stored_.size() == stored_.capacity()) stored_.reserve(std::max<std::size_t>(8, 2 * stored_.size()));
    if (by_reference_.emplace(as_text(reference.view()), stored_.size()).second) {
      bytes_ += content.encoded.size();
      stored_.push_back({std::move(content), reference, std::move(own_update)});
    }
    return out;
  }
  [[nodiscard]] const stored_proposal* find(byte_view reference) const {
    const auto at = by_reference_.find(std::string{as_text(reference)});
    return at == by_reference_.end() ? nullptr : &stored_[at->second];
  }
  /// resolve(content): the proposals of a commit in their order. They point into it and into this cache. Errors:
  /// refused (a reference to what is not here, or what an external commit may not refer to), over_limit (more than
  /// limits::commit_proposals).
  [[nodiscard]] result<resolved_proposals> resolve(const framed_content& content) const {
    resolved_proposals out;
    const auto& proposals = content.body.commit.proposals;
    out.list.reserve(std::min(proposals.size(), limits::commit_proposals));
    std::size_t counted = 0;
    for (const proposal_or_ref item : proposals) {
      const bool is_add = item.type == proposal_or_ref_type::proposal && item.proposal.type == proposal_type::add;
      if (!is_add && ++counted > limits::commit_proposals) return errc::over_limit;
      if (item.type == proposal_or_ref_type::proposal) {
        out.list.push_back({item.proposal, content.sender});
        continue;
      }
      const stored_proposal* stored = find(item.reference);
      if (stored == nullptr) return failure{errc::refused, rules::known_reference};
      // a joiner cannot judge proposals that were sent within the group, but for those made for it
      if (content.sender.type == sender_type::new_member_commit &&
          stored->proposal().type != proposal_type::self_remove)
        return failure{errc::refused, rules::external_commit_proposals};
      if (stored->own_update) out.own_update = &*stored->own_update;
      out.list.push_back({stored->proposal(), stored->sender(), true});
    }
    return out;
  }
  void clear() noexcept {
    bytes_ = 0;
    stored_.clear();
    by_reference_.clear();
  }

  /// select(tree, own, changed): what a commit by leaf `own` should contain: a removal beats Updates of its leaf, the
  /// last Update beats earlier ones, a ReInit yields to anything else. `changed` holds the leaves the commit changes
  /// already.
  template <crypto_provider P>
  [[nodiscard]] std::vector<const stored_proposal*> select(const ratchet_tree<P>& tree, leaf_index own,
                                                           std::unordered_set<std::uint32_t>& changed) const {
    std::vector<const stored_proposal*> out;
    const auto take = [&](const stored_proposal& p) { out.push_back(&p); };
    for (const auto& p : stored_)
      if (p.proposal().type == proposal_type::self_remove && p.sender().index != number(own) &&
          changed.insert(p.sender().index).second)
        take(p);
    for (const auto& p : stored_)
      if (p.proposal().type == proposal_type::remove && p.proposal().remove != own &&
          changed.insert(number(p.proposal().remove)).second)
        take(p);
    for (auto p = stored_.rbegin(); p != stored_.rend(); ++p)
      if (p->proposal().type == proposal_type::update && p->sender().index != number(own) &&
          changed.insert(p->sender().index).second)
        take(*p);
    select_adds(tree, changed, take);
    bool extensions_taken = false;
    std::size_t psks = 0;
    for (const auto& p : stored_) {
      switch (p.proposal().type) {
        case proposal_type::group_context_extensions:
          if (!std::exchange(extensions_taken, true)) take(p);
          break;
        case proposal_type::psk:
          if (psks++ < limits::preshared_keys / 2) take(p);
          break;
        default:
          if (!is_default(p.proposal().type) && p.proposal().type != proposal_type::self_remove) take(p);
          break;
      }
    }
    if (out.empty() && changed.empty())
      for (const auto& p : stored_)
        if (p.proposal().type == proposal_type::reinit) return {&p};
    return out;
  }

 private:
  template <crypto_provider P, class Take>
  void select_adds(const ratchet_tree<P>& tree, const std::unordered_set<std::uint32_t>& changed, Take& take) const {
    std::set<std::string_view> keys;  // no hash: whoever proposes chooses the keys
    for (const auto& p : stored_) {
      if (p.proposal().type != proposal_type::add) continue;
      const leaf_node& leaf = p.proposal().add->leaf.value;
      const auto member = tree.find_member(leaf.signature_key);
      const bool taken = (member && !changed.contains(number(*member))) || tree.has_encryption_key(leaf.encryption_key);
      if (!taken && keys.insert(as_text(leaf.signature_key)).second && keys.insert(as_text(leaf.encryption_key)).second)
        take(p);
    }
  }

  std::vector<stored_proposal> stored_;
  std::size_t bytes_ = 0;
  std::map<std::string, std::size_t> by_reference_;  // ProposalRef to position
};

}  // namespace conclave::mls
