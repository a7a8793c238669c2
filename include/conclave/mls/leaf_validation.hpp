// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Validity of a LeafNode and of a KeyPackage, apart from what concerns other members (RFC 9420, sections 7.3 and
/// 10.1).
#pragma once

#include <conclave/limits.hpp>
#include <conclave/mls/key_package.hpp>

namespace conclave::inline CONCLAVE_ABI::mls {

/// required_capabilities: RFC 9420 section 11.1.
struct required_capabilities {
  wire::list<extension_type> extensions;
  wire::list<proposal_type> proposals;
  wire::list<credential_type> credentials;
  static constexpr auto fields(auto& self) { return std::tie(self.extensions, self.proposals, self.credentials); }
};

/// unique_types(extensions): refused where a type occurs twice (RFC 9420 13.4).
[[nodiscard]] inline status unique_types(const extension_list& extensions) {
  if (extensions.size() > limits::extensions) return failure{errc::over_limit, rules::unique_extensions};
  for (auto i = extensions.begin(); i != extensions.end(); ++i) {
    auto j = i;
    for (++j; j != extensions.end(); ++j)
      if ((*i).type == (*j).type) return failure{errc::refused, rules::unique_extensions};
  }
  return {};
}

/// valid_group_extensions(extensions): they can be those of a GroupContext, whatever its members support. Errors:
/// over_limit, refused.
[[nodiscard]] inline status valid_group_extensions(const extension_list& extensions) {
  if (extensions.encoded().size() > limits::group_extension_bytes)
    return failure{errc::over_limit, rules::group_extensions_size};
  return unique_types(extensions);
}

/// supports_group(capabilities, group_extensions): the extensions of the GroupContext and what its
/// required_capabilities ask for (RFC 9420 7.3, 11.1).
[[nodiscard]] inline status supports_group(const capabilities& own, const extension_list& group_extensions) {
  for (const extension e : group_extensions) {
    if (!own.supports(e.type)) return failure{errc::refused, rules::group_extensions_supported};
    if (e.type != extension_type::required_capabilities) continue;
    CONCLAVE_TRY(const auto required, wire::decode<required_capabilities>(e.data));
    if (required.extensions.size() > limits::capabilities || required.proposals.size() > limits::capabilities ||
        required.credentials.size() > limits::capabilities)
      return failure{errc::over_limit, rules::required_capabilities};
    const auto lists_all = [&](const auto& list) {
      return std::ranges::all_of(list.begin(), list.end(), [&](auto x) { return own.supports(x); });
    };
    if (!lists_all(required.extensions) || !lists_all(required.proposals) || !lists_all(required.credentials))
      return failure{errc::refused, rules::required_capabilities};
  }
  return {};
}

/// valid_leaf(suite, leaf, source, group_extensions, max_lifetime): everything but the signature and what involves
/// other members. Nothing here depends on the time of day, so all members come to the same verdict.
template <crypto_provider P>
[[nodiscard]] status valid_leaf(const basic_suite<P>& s, const leaf_node& leaf, leaf_node_source source,
                                const extension_list& group_extensions, std::chrono::seconds max_lifetime) {
  if (leaf.source != source) return failure{errc::refused, rules::leaf_node_source};
  if (!P::dh_check_public_key(s.hpke_suite().kem, leaf.encryption_key) ||
      leaf.signature_key.size() != signature_public_key_size(s.signature()))
    return failure{errc::malformed, rules::valid_public_key};

  const capabilities& own = leaf.capabilities;
  if (own.versions.size() > limits::capabilities || own.cipher_suites.size() > limits::capabilities ||
      own.extensions.size() > limits::capabilities || own.proposals.size() > limits::capabilities ||
      own.credentials.size() > limits::capabilities)
    return failure{errc::over_limit, rules::required_capabilities};
  if (!own.supports(protocol_version::mls10) || !own.supports(s.id()))
    return failure{errc::refused, rules::leaf_supports_suite};
  for (const extension_type t : own.extensions)
    if (is_default(t)) return failure{errc::malformed, rules::no_default_capabilities};
  for (const proposal_type t : own.proposals)
    if (is_default(t)) return failure{errc::malformed, rules::no_default_capabilities};
  if (!own.supports(leaf.credential.type)) return failure{errc::refused, rules::credential_supported_by_all};

  if (leaf.extensions.encoded().size() > limits::leaf_extension_bytes)
    return failure{errc::over_limit, rules::leaf_extensions_size};
  CONCLAVE_CHECK(unique_types(leaf.extensions));
  for (const extension e : leaf.extensions)
    if (!own.supports(e.type)) return failure{errc::refused, rules::leaf_extensions_supported};

  if (leaf.source == leaf_node_source::key_package && !leaf.lifetime.lasts_at_most(max_lifetime))
    return failure{errc::refused, rules::lifetime_not_too_long};
  return supports_group(own, group_extensions);
}

/// valid_key_package(suite, package, group_extensions, max_lifetime): RFC 9420 section 10.1 but for the two signatures,
/// which key_package_signatures lists.
template <crypto_provider P>
[[nodiscard]] status valid_key_package(const basic_suite<P>& s, const key_package& package,
                                       const extension_list& group_extensions, std::chrono::seconds max_lifetime) {
  if (package.version != protocol_version::mls10 || package.suite != s.id())
    return failure{errc::refused, rules::key_package_suite};
  if (!P::dh_check_public_key(s.hpke_suite().kem, package.init_key))
    return failure{errc::malformed, rules::valid_public_key};
  if (equal(package.init_key, package.leaf->encryption_key)) return failure{errc::refused, rules::init_key_differs};
  if (package.extensions.encoded().size() > limits::leaf_extension_bytes)
    return failure{errc::over_limit, rules::leaf_extensions_size};
  CONCLAVE_CHECK(unique_types(package.extensions));
  for (const extension e : package.extensions)
    if (!package.leaf->capabilities.supports(e.type)) return failure{errc::refused, rules::leaf_extensions_supported};
  return valid_leaf(s, package.leaf.value, leaf_node_source::key_package, group_extensions, max_lifetime);
}

/// signature_batch: signatures with the messages they cover, gathered so that they are verified in one call.
template <crypto_provider P>
class signature_batch {
 public:
  explicit signature_batch(const basic_suite<P>& s) noexcept : suite_{&s} {}

  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  void clear() noexcept {
    items_.clear();
    contents_.clear();
    broken_.clear();
  }

  /// add_leaf, add_key_package, add_content: what they point to stays valid until verify(); what is signed is copied.
  void add_leaf(const located_leaf& leaf, byte_view group_id, leaf_index index) {
    if (leaf->source == leaf_node_source::key_package)  // a copy less
      add(leaf->signature_key, "LeafNodeTBS", without_signature(leaf.encoded, leaf->signature), leaf->signature,
          rules::leaf_signature);
    else
      add(leaf->signature_key, "LeafNodeTBS", leaf_node_tbs(leaf, group_id, index), leaf->signature,
          rules::leaf_signature);
  }
  void add_key_package(const located_key_package& package) {
    add_leaf(package->leaf, {}, {});
    add(package->leaf->signature_key, "KeyPackageTBS", without_signature(package.encoded, package->signature),
        package->signature, rules::key_package_signature);
  }

  void add_content(byte_view key, byte_view tbs, byte_view signature) {
    add(key, "FramedContentTBS", tbs, signature, rules::content_signature);
  }

  /// verify(workers): unauthentic unless every signature verifies, with the rule that the first wrong one breaks.
  [[nodiscard]] status verify(executor* workers = nullptr) const {
    if (verify_many<P>(suite_->signature(), items_, workers)) return {};
    std::size_t i = 0;
    while (i + 1 < items_.size() &&
           P::verify(suite_->signature(), items_[i].public_key, items_[i].message, items_[i].signature))
      ++i;
    return failure{errc::unauthentic, *broken_[i]};
  }

 private:
  void add(byte_view key, std::string_view label, byte_view content, byte_view signature, const rule& broken) {
    contents_.push_back(basic_suite<P>::sign_content(label, content));
    items_.push_back({key, contents_.back(), signature});
    broken_.push_back(&broken);
  }

  const basic_suite<P>* suite_;
  std::vector<bytes> contents_;
  std::vector<signed_item> items_;
  std::vector<const rule*> broken_;
};

}  // namespace conclave::mls
