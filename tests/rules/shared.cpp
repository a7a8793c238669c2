// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What all members of a meeting judge alike, on facts that are made up: the rules of commits, and which parameters exist.
#include <conclave/identity/identity.hpp>
#include <conclave/meeting/lobby.hpp>
#include <conclave/meeting/shared_rules.hpp>

#include <support/deterministic_environment.hpp>

#include <catch2/catch.hpp>

using namespace conclave;

namespace {

const bytes host_key(32, 1), guest_key(32, 2);

/// a_meeting(change): valid parameters, changed.
struct a_meeting {
  encoded_roles roles = with_role({}, host_key, role::host);
  meeting_parameters parameters;

  a_meeting() { parameters.roles = roles.list(); }
  [[nodiscard]] bytes items(const mls::extension_list& before = {}) const {
    return with_parameters(before, parameters);
  }
};

/// facts: a group of made-up leaves: the host in the first, a guest in the second, nobody in the others.
struct facts final : mls::group_facts {
  bytes items = a_meeting().items();
  std::uint64_t epoch = 5;
  std::size_t count = 2;
  mutable bytes encoded;

  [[nodiscard]] byte_view context() const override {
    mls::group_context out;
    out.suite = mls::cipher_suite::mls_128_dhkemx25519_aes128gcm_sha256_ed25519;
    out.epoch = epoch;
    out.extensions = *mls::extension_list::check(items);
    encoded = wire::encode(out);
    return encoded;
  }
  [[nodiscard]] std::size_t members() const override { return count; }
  [[nodiscard]] std::optional<mls::leaf_node> leaf(mls::leaf_index i) const override {
    if (number(i) > 1) return std::nullopt;
    mls::leaf_node out;
    out.signature_key = number(i) == 0 ? host_key : guest_key;
    return out;
  }
  [[nodiscard]] std::optional<mls::leaf_index> find_member(byte_view key) const override {
    for (const mls::leaf_index i : {mls::leaf_index{0}, mls::leaf_index{1}})
      if (equal(leaf(i)->signature_key, key)) return i;
    return std::nullopt;
  }
};

mls::sender member(std::uint32_t leaf) {
  mls::sender out;
  out.type = mls::sender_type::member;
  out.index = leaf;
  return out;
}

status judged(const facts& group, const mls::proposal& wish, std::uint32_t committer = 0) {
  shared_rules rules([](sframe::cipher_suite) { return true; });
  const std::array list{mls::listed_proposal{wish, member(committer), false}};
  return rules.allow(group, {member(committer), {}, list});
}

mls::proposal change_to(const bytes& items) {
  mls::proposal out;
  out.type = mls::proposal_type::group_context_extensions;
  out.group_context_extensions = *mls::extension_list::check(items);
  return out;
}

void breaks(const status& got, const rule& broken) {
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == errc::refused);
  CHECK(std::string{got.error().message()} == broken.name);
}

}  // namespace

TEST_CASE("a pre-shared key is for the first commit of a room, in which nobody else is yet") {
  mls::proposal key;
  key.type = mls::proposal_type::psk;
  facts group;
  group.epoch = 0;
  group.count = 1;
  CHECK(judged(group, key));
  group.count = 2;
  breaks(judged(group, key), rules::no_pre_shared_keys);
  group.count = 1;
  group.epoch = 1;
  breaks(judged(group, key), rules::no_pre_shared_keys);
}

TEST_CASE("a proposal that nobody knows is for hosts") {
  mls::proposal unknown;
  unknown.type = mls::proposal_type{0xf0ff};
  CHECK(judged({}, unknown, 0));
  breaks(judged({}, unknown, 1), rules::may_change);
}

TEST_CASE("a role moves along with a key that is replaced, and only as it is") {
  const bytes new_key(32, 3);
  shared_rules rules([](sframe::cipher_suite) { return true; });
  const auto group_of = [](const encoded_roles& roles) {
    a_meeting m;
    m.parameters.roles = roles.list();
    facts group;
    group.items = m.items();
    return group;
  };
  const auto committed = [&](const facts& group, const encoded_roles& after, byte_view key) {
    a_meeting m;
    m.parameters.roles = after.list();
    const bytes items = m.items();
    const std::array list{mls::listed_proposal{change_to(items), member(1), false}};
    return rules.allow(group, {member(1), key, list});
  };
  const auto host = with_role({}, host_key, role::host);
  const auto two_hosts = with_role(host.list(), guest_key, role::host);
  CHECK(committed(group_of(two_hosts), with_role(host.list(), new_key, role::host), new_key));
  breaks(committed(group_of(two_hosts), with_role(host.list(), new_key, role::co_host), new_key),
         rules::roles_are_given);
  // without another key nothing moves: a co-host does not lay down its role
  const auto helped = with_role(host.list(), guest_key, role::co_host);
  breaks(committed(group_of(helped), host, {}), rules::may_change);
  CHECK(committed(group_of(helped), with_role(host.list(), new_key, role::co_host), new_key));

  // and nothing is replaced by who has no key here, or before there is a commit
  CHECK(rules.allow(facts{}, {member(7), new_key, {}}));
  a_meeting other;
  const auto helper = with_role(host.list(), guest_key, role::co_host);
  other.parameters.roles = helper.list();
  const bytes items = other.items();
  CHECK(rules.allow_proposal(facts{}, {change_to(items), member(0), true}));
  breaks(rules.allow_proposal(facts{}, {change_to(items), member(1), true}), rules::may_change);
}

TEST_CASE("a host changes a meeting, but neither its media nor what its members have to understand") {
  const facts group;
  const auto present = *mls::extension_list::check(group.items);
  a_meeting other;
  other.parameters.door = door::locked;
  other.parameters.capacity = 7;
  CHECK(judged(group, change_to(other.items(present))));
  other.parameters.media = sframe::cipher_suite::aes_256_gcm_sha512_128;
  breaks(judged(group, change_to(other.items(present))), rules::media_stands);
  other.parameters.media = meeting_parameters{}.media;
  ++other.parameters.epoch_bits;
  breaks(judged(group, change_to(other.items(present))), rules::media_stands);

  const bytes encoded = wire::encode(a_meeting().parameters);
  const mls::extension alone{meeting_parameters::extension, encoded};
  const bytes without = wire::encode_items(std::array{alone});
  breaks(judged(group, change_to(without)), rules::parameters_valid);
  facts lax;
  lax.items = without;
  breaks(judged(lax, change_to(a_meeting().items())), rules::parameters_valid);
  const bytes nothing = wire::encode(mls::required_capabilities{});
  const bytes less =
      wire::encode_items(std::array{mls::extension{mls::extension_type::required_capabilities, nothing}, alone});
  breaks(judged(group, change_to(less)), rules::parameters_valid);
}

TEST_CASE("into an empty place nobody comes back") {
  shared_rules rules([](sframe::cipher_suite) { return true; });
  mls::proposal init, from;
  init.type = mls::proposal_type::external_init;
  from.type = mls::proposal_type::remove;
  mls::sender joiner;
  joiner.type = mls::sender_type::new_member_commit;
  const auto entered = [&](std::uint32_t leaf, byte_view key) {
    from.remove = mls::leaf_index{leaf};
    const std::array list{mls::listed_proposal{init, joiner, false}, mls::listed_proposal{from, joiner, false}};
    return rules.allow(facts{}, {joiner, key, list});
  };
  CHECK(entered(1, guest_key));
  breaks(entered(1, host_key), conclave::rules::comes_back_with_own_key);
  breaks(entered(7, guest_key), conclave::rules::comes_back_with_own_key);
}

TEST_CASE("whatever is committed, a host is in afterwards") {
  shared_rules rules([](sframe::cipher_suite) { return true; });
  const bytes gone_key(32, 4), new_key(32, 3);
  const auto with_roles = [](const encoded_roles& roles) {
    a_meeting m;
    m.parameters.roles = roles.list();
    return m.items();
  };
  const auto group_of = [&](const encoded_roles& roles) {
    facts group;
    group.items = with_roles(roles);
    return group;
  };
  const auto removal_of = [](std::uint32_t leaf) {
    mls::proposal out;
    out.type = mls::proposal_type::remove;
    out.remove = mls::leaf_index{leaf};
    return mls::listed_proposal{out, member(leaf), true};
  };
  const auto gone = with_role({}, gone_key, role::host);
  const auto host_and_gone = with_role(gone.list(), host_key, role::host);
  const auto helped = with_role(host_and_gone.list(), guest_key, role::co_host);
  const auto two_hosts = with_role(host_and_gone.list(), guest_key, role::host);

  // by leaving: a co-host is none, nor is who has left a role behind
  const std::array one{removal_of(0)};
  const std::array both{removal_of(0), removal_of(1)};
  breaks(rules.allow(group_of(helped), {member(1), {}, one}), rules::a_host_stays);
  CHECK(rules.allow(group_of(two_hosts), {member(1), {}, one}));
  breaks(rules.allow(group_of(two_hosts), {member(7), {}, both}), rules::a_host_stays);

  // by laying down the role
  const auto others = with_role(helped.list(), host_key, role::participant);
  breaks(judged(group_of(helped), change_to(with_roles(others))), rules::a_host_stays);
  const auto successor = with_role(others.list(), guest_key, role::host);
  CHECK(judged(group_of(helped), change_to(with_roles(successor))));

  // by another key: the role has to move along
  breaks(rules.allow(group_of(host_and_gone), {member(0), new_key, {}}), rules::a_host_stays);
  const bytes moved = with_roles(with_role(gone.list(), new_key, role::host));
  const std::array move{mls::listed_proposal{change_to(moved), member(0), false}};
  CHECK(rules.allow(group_of(host_and_gone), {member(0), new_key, move}));

  // who comes back has the role still
  mls::sender joiner;
  joiner.type = mls::sender_type::new_member_commit;
  mls::proposal init;
  init.type = mls::proposal_type::external_init;
  const std::array back{mls::listed_proposal{init, joiner, false},
                        mls::listed_proposal{removal_of(0).proposal, joiner, false}};
  CHECK(rules.allow(group_of(host_and_gone), {joiner, host_key, back}));

  // and nobody joins where there is none
  CHECK(rules.allow_group(group_of(host_and_gone)));
  breaks(rules.allow_group(group_of(gone)), rules::a_host_stays);
}

TEST_CASE("whoever cannot open a meeting's media does not join it") {
  shared_rules deaf([](sframe::cipher_suite) { return false; });
  const auto got = deaf.allow_group(facts{});
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == errc::unsupported);
}

TEST_CASE("parameters of a meeting stay within what exists") {
  const auto with = [](const std::function<void(meeting_parameters&)>& change) {
    a_meeting m;
    change(m.parameters);
    const auto got = m.parameters.valid();
    CHECK(meeting_parameters::decode(wire::encode(m.parameters)).has_value() == got.has_value());
    return got ? errc{} : got.error().code();
  };
  constexpr role none{3};
  CHECK(with([](auto&) {}) == errc{});
  CHECK(with([](auto& p) { p.version = 2; }) == errc::unsupported);
  CHECK(with([](auto& p) { p.door = door{4}; }) == errc::malformed);
  CHECK(with([](auto& p) { p.admits = none; }) == errc::malformed);
  CHECK(with([](auto& p) { p.removes = none; }) == errc::malformed);
  CHECK(with([](auto& p) { p.locks = none; }) == errc::malformed);
  CHECK(with([](auto& p) { p.capacity = 0; }) == errc::over_limit);
  CHECK(with([](auto& p) { p.capacity = limits::leaves + 1; }) == errc::over_limit);
  CHECK(with([](auto& p) { p.media = sframe::cipher_suite{0x7777}; }) == errc::unsupported);
  CHECK(with([](auto& p) { p.epoch_bits = limits::sframe_epoch_bits_least - 1; }) == errc::unsupported);
  CHECK(with([](auto& p) { p.epoch_bits = limits::sframe_epoch_bits_most + 1; }) == errc::unsupported);
  CHECK(with([](auto& p) { p.code_bits = limits::spoken_code_bits - 1; }) == errc::unsupported);
  CHECK(with([](auto& p) { p.code_bits = limits::spoken_code_bits_most + 1; }) == errc::unsupported);

  const auto with_roles = [&](const std::vector<role_entry>& entries) {
    const bytes items = wire::encode_items(entries);
    return with([&](auto& p) { p.roles = wire::list<role_entry>::of(items, entries.size()); });
  };
  CHECK(with_roles({{host_key, role::host}, {guest_key, role::co_host}}) == errc{});
  CHECK(with_roles({{guest_key, role::co_host}, {host_key, role::host}}) == errc::malformed);
  CHECK(with_roles({{host_key, role::host}, {host_key, role::host}}) == errc::malformed);
  CHECK(with_roles({{host_key, role::co_host}}) == errc::malformed);
  CHECK(with_roles({{host_key, role::host}, {guest_key, role::participant}}) == errc::malformed);
  CHECK(with_roles({{host_key, role::host}, {guest_key, none}}) == errc::malformed);
  std::vector<bytes> keys;
  for (std::size_t i = 0; i <= limits::roles; ++i) {
    keys.emplace_back(4);
    store_be(static_cast<std::uint32_t>(i), keys.back());
  }
  std::vector<role_entry> many;
  for (const bytes& key : keys) many.push_back({key, role::host});
  CHECK(with_roles(many) == errc::over_limit);
  many.pop_back();
  CHECK(with_roles(many) == errc{});
}

TEST_CASE("an answer to a knock has one form") {
  const bytes good = wire::encode(admission_answer{{admission_verdict::lobby, admission_reason::locked, 3, {}}});
  REQUIRE(wire::decode<admission_answer>(good));
  bytes other = good;
  other[0] = 2;
  CHECK(wire::decode<admission_answer>(other).error().code() == errc::unsupported);
  other[0] = 1;
  other[1] = 3;
  CHECK(wire::decode<admission_answer>(other).error().code() == errc::malformed);
}

TEST_CASE("a name and its certificates have a size") {
  conclave_test::deterministic_environment env(1);
  const std::string long_name(limits::name_bytes + 1, 'n');
  CHECK(identity::generate(env, long_name.substr(1)));
  CHECK(identity::generate(env, long_name).error().code() == errc::over_limit);
  const auto certified = [&](const std::string& name, const std::vector<bytes>& chain) {
    const auto got =
        identity::certified(name, *signature_key::generate<default_provider>(env, signature_scheme::ed25519), chain);
    return got ? errc{} : got.error().code();
  };
  CHECK(certified("n", {bytes(3)}) == errc{});
  CHECK(certified("n", {}) == errc::misuse);
  CHECK(certified(long_name, {bytes(3)}) == errc::over_limit);
  CHECK(certified("n", std::vector<bytes>(limits::certificates, bytes(3))) == errc{});
  CHECK(certified("n", std::vector<bytes>(limits::certificates + 1, bytes(3))) == errc::over_limit);
  CHECK(certified("n", {bytes(limits::credential_bytes)}) == errc::over_limit);
}
