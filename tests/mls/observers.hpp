// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Servers that have seen all that a member has.
#pragma once

#include <support/instantiation.hpp>
#include <support/mls_party.hpp>

namespace mls_test {

/// observer_of(env, g, policy): a server that has seen all that this member has.
[[nodiscard]] inline observer observer_of(environment& env, const group& g, const group_policy& policy = {}) {
  using look = group_testing<default_provider>;
  bytes state;
  writer w{state};
  w.opaque(g.group_context());
  w.opaque(look::epoch_of(g).confirmation_tag.view());
  w.opaque(g.ratchet_tree_items());
  w.number(static_cast<std::uint8_t>(g.reinitialized().has_value()));
  if (g.reinitialized()) g.reinitialized()->save(w);
  w.vector([&] {
    for (const stored_proposal& p : look::proposals_of(g).all()) w.opaque(p.content.encoded);
  });
  return must(observer::restore(env, state, policy));
}

}  // namespace mls_test
