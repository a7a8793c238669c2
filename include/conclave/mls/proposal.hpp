// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Proposals (RFC 9420, section 12.1).
#pragma once

#include <conclave/mls/key_package.hpp>
#include <conclave/mls/psk.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// reinit: RFC 9420 section 12.1.5.
struct reinit {
  byte_view group_id;
  protocol_version version{};
  cipher_suite suite{};
  extension_list extensions;
  static constexpr auto fields(auto& self) {
    return std::tie(self.group_id, self.version, self.suite, self.extensions);
  }
};

/// proposal: the member named like the type is the one that is set.
struct proposal {
  proposal_type type{};
  located_key_package add;
  located_leaf update;
  leaf_index remove{};
  pre_shared_key_id psk;
  mls::reinit reinit;
  byte_view external_init;  ///< kem_output
  extension_list group_context_extensions;
  byte_view custom;  ///< of a type not named in proposal_type: an opaque<V>

  [[nodiscard]] static result<proposal> read(reader& in) {
    proposal out;
    CONCLAVE_TRY(out.type, wire::read<proposal_type>(in));
    CONCLAVE_CHECK(out.with_body([&]<class T>(T& member) -> status {
      CONCLAVE_TRY(member, wire::read<T>(in));
      return {};
    }));
    return out;
  }
  void write(auto& out) const {
    wire::write(out, type);
    (void)with_body(*this, [&](const auto& member) -> status {
      wire::write(out, member);
      return {};
    });
  }

 private:
  template <class F>
  [[nodiscard]] status with_body(F&& f) {
    return with_body(*this, f);
  }
  template <class Self, class F>
  [[nodiscard]] static status with_body(Self& self, F&& f) {
    switch (self.type) {
      case proposal_type::add: return f(self.add);
      case proposal_type::update: return f(self.update);
      case proposal_type::remove: return f(self.remove);
      case proposal_type::psk: return f(self.psk);
      case proposal_type::reinit: return f(self.reinit);
      case proposal_type::external_init: return f(self.external_init);
      case proposal_type::group_context_extensions: return f(self.group_context_extensions);
      case proposal_type::self_remove: return {};
    }
    return f(self.custom);
  }
};

/// path_required(type): a commit that covers such a proposal needs an UpdatePath (RFC 9420 12.4). Custom types do.
[[nodiscard]] constexpr bool path_required(proposal_type type) noexcept {
  return type != proposal_type::add && type != proposal_type::psk && type != proposal_type::reinit;
}

}  // namespace conclave::mls
