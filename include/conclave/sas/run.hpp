// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// run: the cryptography of one verification run: commitments, reveals, and the code that follows from them. Commit, then
/// reveal, after Vaudenay and Laur-Pasini: nobody can choose a contribution that depends on those of the others, so two
/// halves of a split meeting get two independent codes.
#pragma once

#include <conclave/sas/messages.hpp>
#include <conclave/sas/view.hpp>

namespace conclave::inline CONCLAVE_ABI::sas {

using own_nonce = secret<struct own_nonce_tag>;

/// run_binding: what all commitments and the code of a run depend on.
struct run_binding {
  hash_id hash{};
  sas::run_id run_id{};
  digest start;  ///< H(SasStart), of the message as it travelled
  digest view;   ///< one's own
};

/// commitment<P>(run, leaf, r): c = H("conclave sas commit" || run_id || leaf || H(SasStart) || vh || r).
template <crypto_provider P>
[[nodiscard]] digest commitment(const run_binding& run, std::uint32_t leaf, byte_view r) {
  std::array<std::uint8_t, 4> index;
  store_be(leaf, index);
  const std::array<byte_view, 6> parts{
      as_bytes("conclave sas commit"), run.run_id, index, run.start.view(), run.view.view(), r};
  digest out(hash_size(run.hash));
  P::hash(run.hash, parts, out.writable());
  return out;
}

/// contribution: one contributor's part of a run.
struct contribution {
  std::uint32_t leaf = 0;
  std::optional<digest> commitment;
  std::optional<sas::nonce> nonce;
};

/// code_value<P>(run, form, contributions): C = H(c_1 || ... || c_n), K = HKDF-Extract(C, r_1 || ... || r_n), code =
/// HKDF-Expand(K, "conclave sas code" || form || H(SasStart) || vh, ..) modulo the number of codes. The contributions are
/// complete, checked and in leaf order.
template <crypto_provider P>
[[nodiscard]] std::uint64_t code_value(const run_binding& run, form which, std::span<const contribution> all) {
  std::vector<byte_view> commitments, nonces;
  commitments.reserve(all.size());
  nonces.reserve(all.size());
  for (const contribution& c : all) {
    commitments.push_back(c.commitment->view());
    nonces.push_back(*c.nonce);
  }
  const auto p = *parameters(which);
  digest C(hash_size(run.hash));
  P::hash(run.hash, commitments, C.writable());
  secret<struct sas_key_tag> K(hash_size(run.hash));
  hkdf_extract<P>(run.hash, C.view(), nonces, K.writable());

  const std::array<std::uint8_t, 1> form_octet{static_cast<std::uint8_t>(which)};
  const std::array<byte_view, 4> info{as_bytes("conclave sas code"), form_octet, run.start.view(), run.view.view()};
  std::array<std::uint8_t, max_material_bytes> material;
  const conclave::detail::wipe_guard wipe(material);
  const byte_span used = byte_span{material}.first(p.material_bytes);
  hkdf_expand<P>(run.hash, K.reveal(), info, used);
  return reduce(used, p.codes);
}

}  // namespace conclave::sas
