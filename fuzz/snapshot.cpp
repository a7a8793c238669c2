// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Snapshots of groups and meetings in the hands of whoever has the disk. The first byte chooses: any bytes as a snapshot;
/// a real one with bytes of it changed; or, as if the host's key were lost too, the state inside changed and sealed again.
/// The oracle: without the key only the snapshot itself is restored, and none older than the newest; what is restored,
/// as a group or as a meeting, is saved again as the same bytes; what is refused has an error of its own.
#include "../tests/mls/observers.hpp"
#include "support/oracle.hpp"

#include <conclave/meeting/meeting.hpp>

namespace conclave::inline CONCLAVE_ABI {

/// meeting_testing: the window through which tests look into a meeting.
template <crypto_provider P>
struct meeting_testing {
  [[nodiscard]] static bytes state_of(const basic_meeting<P>& room, byte_view beside) {
    return mls::group_testing<P>::state_of(room.group_, beside);
  }
};

}  // namespace conclave

namespace {

using namespace mls_test;
using conclave_fuzz::edit, conclave_fuzz::require, conclave_fuzz::script;
using room_testing = meeting_testing<default_provider>;
using look = group_testing<default_provider>;

const snapshot_key& host_key() {
  static const snapshot_key key = must(snapshot_key::copy_of(bytes(32, 5)));
  return key;
}

/// A group with late epochs, waiting proposals and an Update of its own, and a meeting.
struct stage {
  deterministic_environment env{7};
  identity me = must(identity::generate(env, "Ada"));
  bytes group_snapshot, group_state, meeting_snapshot, meeting_state;

  stage() {
    party p(3);
    p.commit(1);
    p.commit(2);
    p.deliver(0, must(p[0].propose_update(env)));
    p.deliver(1, must(p[1].propose_remove(env, p.leaf(2))));
    group_snapshot = must(p[0].snapshot(env, host_key()));
    group_state = opened(group_snapshot);
    meeting room = must(meeting::create(env, me, "stage"));
    meeting_snapshot = must(room.snapshot(host_key()));
    meeting_state = opened(meeting_snapshot);
  }
  [[nodiscard]] static bytes opened(byte_view snapshot) {
    const auto o = must(open_snapshot<provider_type>(host_key(), 0, snapshot));
    return {o.state.begin(), o.state.end()};
  }
  using provider_type = default_provider;
};

stage& scenery() {
  static stage all;
  return all;
}

void expected_error(errc code) {
  require(code == errc::malformed || code == errc::unsupported || code == errc::unauthentic || code == errc::replayed ||
              code == errc::over_limit || code == errc::refused || code == errc::misuse,
          "another error");
}

/// restore(snapshot, state): as both; what it is, if it is one, is saved as `state`.
void restore(byte_view snapshot, byte_view state, bool& is_group, bool& is_meeting) {
  stage& s = scenery();
  secret_bytes beside;
  const auto g = group::restore(s.env, host_key(), 0, snapshot, {}, &beside);
  is_group = g.has_value();
  if (g) {
    require(equal(look::state_of(*g, beside), state), "a restored group is another one");
    require(!group::restore(s.env, host_key(), g->sequence() + 1, snapshot, {}), "an old snapshot was restored");
  } else {
    expected_error(g.error().code());
  }
  const auto m = meeting::restore(s.env, host_key(), 0, snapshot, s.me, "stage");
  is_meeting = m.has_value();
  if (m)
    require(equal(room_testing::state_of(*m, beside), state), "a restored meeting is another one");
  else
    expected_error(m.error().code());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  stage& s = scenery();
  script in({data, size});
  const std::uint8_t what = in.byte();
  const bool of_meeting = what % 2 == 1;
  const bytes& real = of_meeting ? s.meeting_snapshot : s.group_snapshot;
  const bytes& state = of_meeting ? s.meeting_state : s.group_state;
  bool is_group = false, is_meeting = false;
  if (what / 2 % 4 == 0) {
    restore(in.take(size), state, is_group, is_meeting);
    require(!is_group && !is_meeting, "any bytes are a snapshot");
  } else if (what / 2 % 4 == 1) {
    bytes changed = real;
    edit(changed, in);
    restore(changed, state, is_group, is_meeting);
    require(is_group == (changed == real), "a changed snapshot was restored, or one that nobody changed was not");
    require(is_meeting == (of_meeting && changed == real), "a changed meeting was restored, or another one was not");
  } else {
    bytes changed = state;
    edit(changed, in);
    const auto suite = must(basic_suite<default_provider>::make(suite_1));
    const bytes sealed = must(seal_snapshot(s.env, suite, host_key(), 1, changed));
    secret_bytes beside;
    const auto g = group::restore(s.env, host_key(), 0, sealed, {}, &beside);
    if (!g) {
      expected_error(g.error().code());
      return 0;
    }
    // not every state has one form only, but what was saved has
    const bytes saved = look::state_of(*g, beside);
    const bytes again = must(seal_snapshot(s.env, suite, host_key(), 1, saved));
    restore(again, saved, is_group, is_meeting);
    require(is_group, "what was restored and saved is not restored again");
  }
  return 0;
}
