// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Commit and UpdatePath (RFC 9420, sections 12.4 and 7.6).
#pragma once

#include <conclave/limits.hpp>
#include <conclave/mls/proposal.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

struct update_path_node {
  byte_view encryption_key;
  wire::list<hpke_ciphertext> encrypted_path_secret;
  static constexpr auto fields(auto& self) { return std::tie(self.encryption_key, self.encrypted_path_secret); }
};

struct update_path {
  located_leaf leaf;
  wire::list<update_path_node> nodes;
  static constexpr auto fields(auto& self) { return std::tie(self.leaf, self.nodes); }
};

enum class proposal_or_ref_type : std::uint8_t { proposal = 1, reference = 2 };

struct proposal_or_ref {
  /// most: of one commit: an Add for each leaf, and what else may be in it. Reading one more costs a microsecond, and
  /// nothing is authentic yet.
  static constexpr std::size_t most = limits::leaves + limits::commit_proposals;

  proposal_or_ref_type type{};
  mls::proposal proposal;
  byte_view reference;

  [[nodiscard]] static result<proposal_or_ref> read(reader& in) {
    proposal_or_ref out;
    CONCLAVE_TRY(out.type, wire::read<proposal_or_ref_type>(in));
    if (out.type == proposal_or_ref_type::proposal) {
      CONCLAVE_TRY(out.proposal, mls::proposal::read(in));
    } else if (out.type == proposal_or_ref_type::reference) {
      CONCLAVE_TRY(out.reference, in.opaque());
    } else {
      return failure{errc::malformed, rules::known_reference};
    }
    return out;
  }
  void write(auto& out) const {
    wire::write(out, type);
    if (type == proposal_or_ref_type::proposal)
      proposal.write(out);
    else
      out.opaque(reference);
  }
};

struct commit {
  wire::list<proposal_or_ref> proposals;
  std::optional<update_path> path;
  static constexpr auto fields(auto& self) { return std::tie(self.proposals, self.path); }
};

}  // namespace conclave::mls
