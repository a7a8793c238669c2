// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Members judged by their certificates: identity/<what>. A root on P-384, an authority on P-256, members on Ed25519,
/// and a revocation list of each authority. Reading the anchor and the lists is not in it.
#include <identity/authority.hpp>

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>

namespace {

using namespace identity_test;

void give_up(const char* what) {
  std::fprintf(stderr, "a benchmark failed: %s\n", what);
  std::abort();
}

/// organisation: as many members as are asked for.
struct organisation {
  draft root = an_authority("root", signature_scheme::ecdsa_secp384r1_sha384);
  draft authority = an_authority("authority", signature_scheme::ecdsa_secp256r1_sha256);
  bytes root_der, authority_der;
  std::vector<draft> members;
  std::vector<bytes> own;

  explicit organisation(std::size_t n) {
    authority.issuer = root.subject;
    authority.serial = 2;
    root_der = root.signed_by(root.key);
    authority_der = authority.signed_by(root.key);
    for (std::size_t i = 0; i < n; ++i) {
      draft d = a_member("member-" + std::to_string(i) + "@example.org");
      d.issuer = authority.subject;
      d.serial = 100 + i;
      own.push_back(d.signed_by(authority.key));
      members.push_back(std::move(d));
    }
  }
  [[nodiscard]] presented_identity shown(std::size_t i) const {
    return {credential_type::x509,
            {},
            {own[i], authority_der},
            members[i].key.of_mls->public_view(),
            signature_scheme::ed25519};
  }
  [[nodiscard]] x509_validator validator() const {
    x509::trust t;
    if (!t.add_anchor(root_der, x509::anchor_kind::internal)) give_up("anchor");
    if (!t.add_revocation_list(list_draft{}.signed_by(root))) give_up("list of the root");
    if (!t.add_revocation_list(list_draft{}.signed_by(authority))) give_up("list of the authority");
    return x509_validator(std::move(t));
  }
};

void judge(x509_validator& v, const organisation& o, std::size_t i) {
  if (v.member(o.shown(i), now) != identity_state::verified_internal) give_up("a member is not verified");
}

/// By a validator that has seen nothing yet: two signatures of the chain, two of the lists, and the second opinion.
void first_chain(benchmark::State& state) {
  const organisation o(1);
  for (auto _ : state) {
    state.PauseTiming();
    auto v = o.validator();
    state.ResumeTiming();
    judge(v, o, 0);
  }
}
BENCHMARK(first_chain)->Name("identity/3 certificates, the first time")->Unit(benchmark::kMicrosecond);

void next_chain(benchmark::State& state) {
  const organisation o(2);
  auto v = o.validator();
  judge(v, o, 1);
  for (auto _ : state) judge(v, o, 0);
}
BENCHMARK(next_chain)->Name("identity/3 certificates, their issuers known")->Unit(benchmark::kMicrosecond);

void everybody(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const organisation o(n);
  for (auto _ : state) {
    state.PauseTiming();
    auto v = o.validator();
    state.ResumeTiming();
    for (std::size_t i = 0; i < n; ++i) judge(v, o, i);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(everybody)->Name("identity/members of one organisation")->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace
