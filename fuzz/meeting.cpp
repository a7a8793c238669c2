// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// A meeting in which one member's client was patched: a group without the rules of meetings, that says, proposes and
/// commits whatever the script likes, as participant, co-host or host, and comes in again by itself where it is thrown
/// out. All others are honest, write, change the meeting, leave and verify. The oracle: what is refused changes nothing;
/// all come to the same verdict and then agree; whatever was accepted, nobody was brought in, removed, promoted or shut out
/// by somebody without the right to, judged here by what the meeting was before and is after and not by the commit; a host
/// is in at all times; the chat has exactly what is text; and in the end the honest ones can commit, speak and let
/// somebody in.
#include "../tests/mls/observers.hpp"
#include "support/rights.hpp"

namespace conclave::inline CONCLAVE_ABI {

/// meeting_testing: the window through which tests look into a meeting.
template <crypto_provider P>
struct meeting_testing {
  /// state_of(room): the group, and what the meeting has made of it.
  [[nodiscard]] static bytes state_of(const basic_meeting<P>& room) {
    bytes out;
    writer w{out};
    room.verification_.save(w);
    out = mls::group_testing<P>::state_of(room.group_, out);
    w.opaque(room.agreed_);
    w.number(std::uint64_t{room.events_.size()});
    for (const chat_message& m : room.chat_.messages()) w.opaque(as_bytes(m.name + m.text));
    for (const auto& [leaf, entry] : room.attendance_.all()) w.opaque(as_bytes(entry.name));
    return out;
  }
};

}  // namespace conclave

namespace {

using namespace mls_test;
using conclave_fuzz::edit, conclave_fuzz::facts, conclave_fuzz::require, conclave_fuzz::script;
using look = group_testing<default_provider>;

bytes state_of(const meeting& room) { return meeting_testing<default_provider>::state_of(room); }

/// Everybody patched has the same key, whatever it is called.
struct own_psk final : psk_source {
  [[nodiscard]] result<secret_bytes> external(byte_view) override { return secret_bytes(32, 7); }
  [[nodiscard]] result<secret_bytes> resumption(byte_view, std::uint64_t) override { return secret_bytes(32, 8); }
};

struct seat {
  identity who;
  meeting room;
};

class play {
 public:
  explicit play(script in) : in_{in} {
    identity host = generate();
    meeting room_of_host = must(meeting::create(env_, host, "fuzz"));
    seats_.push_back({std::move(host), std::move(room_of_host)});
    admit(0);
    if (in_.byte() % 2 == 0) admit(0);
    bring_in_mallory();
    meeting& room = seats_.front().room;
    const std::uint8_t choice = in_.byte();
    if (choice % 3 != 0) commit(0, room.set_role(evil_->own_leaf(), role{static_cast<std::uint8_t>(choice % 3)}));
    meeting_parameters p = room.parameters();
    p.door = door{static_cast<std::uint8_t>(choice / 3 % 4)};
    const std::uint8_t rights = in_.byte();
    p.admits = role{static_cast<std::uint8_t>(rights % 3)};
    p.removes = role{static_cast<std::uint8_t>(rights / 3 % 3)};
    p.locks = role{static_cast<std::uint8_t>(rights / 9 % 3)};
    p.capacity = 5 + rights / 27;
    commit(0, room.change_parameters(p));
  }

  void go() {
    for (int steps = 0; !in_.empty() && steps < 16; ++steps) {
      if (present().empty()) return;
      step();
      agree();
    }
    if (!present().empty()) live_on();
  }

 private:
  // ---- who is there --------------------------------------------------------------------------------------------------

  identity generate() { return must(identity::generate(env_, "person " + std::to_string(names_++))); }
  std::vector<std::size_t> present() const {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < seats_.size(); ++i)
      if (seats_[i].room.active()) out.push_back(i);
    return out;
  }
  std::size_t somebody() {
    const auto all = present();
    return all[in_.byte() % all.size()];
  }
  bool mallory_is_in() const { return evil_ && evil_->active(); }

  void bring_in_mallory() {
    const auto suite = must(basic_suite<default_provider>::make(suite_1));
    auto package = must(make_key_package<default_provider>(env_, suite, mallory_, {std::chrono::hours{24}, false}));
    auto add = must(seats_[0].room.admit(package.message));
    const bytes welcome = to_bytes(add.welcome());
    commit(0, std::move(add));
    evil_.emplace(must(group::join(env_, mallory_.clone(), std::move(package), welcome, {}, policy())));
  }
  group_policy policy() {
    group_policy out;
    out.psks = &psks_;
    if (in_.byte() % 2 == 0) out.handshakes = wire_format::public_message;
    return out;
  }

  void agree() {
    const auto all = present();
    if (all.empty()) return;
    const meeting& first = seats_[all.front()].room;
    for (const std::size_t i : all) {
      const meeting& room = seats_[i].room;
      require(room.code() == first.code() && room.epoch() == first.epoch() && room.size() == first.size() &&
                  equal(wire::encode(room.parameters()), wire::encode(first.parameters())),
              "honest members do not agree");
    }
    if (mallory_is_in() && evil_->epoch_number() == first.epoch())
      require(first.code() == must(sas::security_code::make(evil_->authenticator().reveal(), first.epoch())),
              "the code of an epoch is not that of all who are in it");
  }

  // ---- honest steps --------------------------------------------------------------------------------------------------

  void step() {
    switch (in_.byte() % 16) {
      case 0: return change_door();
      case 1: return promote();
      case 2: return admit(somebody());
      case 3: return remove();
      case 4: return write(somebody());
      case 5: return leave();
      case 6: return verify();
      case 7: return env_.advance(std::chrono::seconds{in_.byte()});
      case 8: return damage();
      case 9:
      case 10: return say();
      case 11:
      case 12: return propose();
      case 13: return enter();
      default: return forge();
    }
  }

  /// commit(i, change): everybody follows what an honest member commits. Its proposals may be anybody's.
  void commit(std::size_t i, result<meeting::change> wish) {
    if (!wish) return;
    meeting::change change = *std::move(wish);
    const facts before(seats_[i].room);
    role most = before.of(seats_[i].room.own_leaf());
    if (waiting_ && mallory_is_in()) most = std::max(most, before.of(evil_->own_leaf()));
    const epoch_change effect = change.facts();
    const bytes message = to_bytes(change.commit());
    for (const std::size_t k : present())
      if (k != i) require(seats_[k].room.receive(message).has_value(), "an honest commit is refused");
    if (mallory_is_in()) require(evil_->process(env_, message).has_value(), "an honest commit is refused by mallory");
    require(seats_[i].room.apply(std::move(change)).has_value(), "an honest commit does not apply");
    judge(before, seats_[i].room, effect, most);
  }

  void admit(std::size_t i) {
    if (names_ > 9) return;
    identity who = generate();
    knock wish = must(knock::create(env_, who));
    auto add = seats_[i].room.admit(wish.key_package());
    if (!add) return;
    const bytes welcome = to_bytes(add->welcome());
    commit(i, std::move(add));
    meeting joined = must(meeting::join(std::move(wish), welcome));
    seats_.push_back({std::move(who), std::move(joined)});
  }
  void change_door() {
    const std::size_t i = somebody();
    commit(i, seats_[i].room.set_door(door{static_cast<std::uint8_t>(in_.byte() % 4)}));
  }
  void promote() {
    const std::size_t i = somebody();
    const leaf_index target{in_.byte() % seats_[i].room.tree().leaf_count()};
    commit(i, seats_[i].room.set_role(target, role{static_cast<std::uint8_t>(in_.byte() % 3)}));
  }
  void remove() {
    const std::size_t i = somebody();
    const leaf_index target{in_.byte() % seats_[i].room.tree().leaf_count()};
    if (target != seats_[i].room.own_leaf()) commit(i, seats_[i].room.remove(target));
  }
  void write(std::size_t i) {
    auto saying = seats_[i].room.write("honest words");
    if (!saying) return require(waiting_, "an honest member cannot write");
    for (const std::size_t k : present()) {
      if (k == i) continue;
      require(seats_[k].room.receive(saying->message()).has_value(), "honest words are refused");
      require(seats_[k].room.chat().messages().back().text == "honest words", "honest words are not in the chat");
    }
    if (mallory_is_in()) (void)must(evil_->process(env_, saying->message()));
    seats_[i].room.apply(*std::move(saying));
  }
  void leave() {
    const std::size_t i = somebody();
    const auto wish = seats_[i].room.leave();
    if (!wish) return require(seats_[i].room.state().own_role == role::host, "somebody who is no host cannot leave");
    leaving_.push_back(seats_[i].room.own_leaf());
    waiting_ = true;
    for (const std::size_t k : present())
      if (k != i) require(seats_[k].room.receive(*wish).has_value(), "a wish to leave is refused");
    if (mallory_is_in()) (void)must(evil_->process(env_, *wish));
  }
  void verify() {
    const std::size_t i = somebody();
    meeting& room = seats_[i].room;
    std::vector<std::uint32_t> others;
    room.tree().for_each_leaf([&](leaf_index k) {
      if (k != room.own_leaf()) others.push_back(number(k));
    });
    const auto form = sas::form{static_cast<std::uint8_t>(1 + in_.byte() % 5)};
    (void)room.verification().start(env_, form, others, env_.steady()).has_value();
    for (const std::size_t k : present())
      if (k != i && in_.byte() % 2 == 0) (void)seats_[k].room.verification().take_part(env_, env_.steady()).has_value();
    pass_on_verification();
  }
  void pass_on_verification() {
    for (const std::size_t i : present()) {
      const auto messages = seats_[i].room.take_messages();
      if (!messages) continue;
      for (const bytes& m : *messages) {
        for (const std::size_t k : present())
          if (k != i) require(seats_[k].room.receive(m).has_value(), "a message of a verification is refused");
        if (mallory_is_in()) (void)must(evil_->process(env_, m));
      }
    }
    for (const std::size_t i : present())
      require(!seats_[i].room.verification().verified(), "verified, and nobody has compared anything");
  }

  // ---- mallory -------------------------------------------------------------------------------------------------------

  /// send(message): to all honest ones, who come to one verdict, and stay as they were where it is no. The effect on the
  /// first of those who are still in.
  struct verdict {
    bool taken = false;
    std::optional<event> effect;
  };
  verdict send(byte_view message) {
    verdict out;
    std::size_t took = 0;
    const auto all = present();
    for (const std::size_t i : all) {
      meeting& room = seats_[i].room;
      const bytes before = state_of(room);
      auto got = room.receive(message);
      if (!got) {
        require(state_of(room) == before, "a refused message has changed the state");
        continue;
      }
      ++took;
      if (room.active() && !out.effect) out.effect = *std::move(got);
    }
    require(took == 0 || took == all.size(), "two members come to different verdicts");
    out.taken = took != 0;
    return out;
  }

  void judge(const facts& before, const meeting& room, const epoch_change& effect, role most) {
    conclave_fuzz::judge(before, room, effect, most, leaving_);
    leaving_.clear();
    waiting_ = false;
  }

  void say() {
    if (!mallory_is_in()) return;
    bytes words;
    switch (in_.byte() % 3) {
      case 0: words = to_bytes(in_.take(in_.byte() % 64U)); break;
      case 1: {
        const bytes text = to_bytes(in_.take(in_.byte() % 32U));
        words = wire::encode(chat_content{text_kind{static_cast<std::uint8_t>(in_.byte() % 4)}, in_.number(), text});
        edit(words, in_);
        break;
      }
      default: words = of_a_verification(); break;
    }
    const auto message = evil_->protect(env_, words, in_.take(in_.byte() % 4U));
    if (!message) return;
    std::vector<std::size_t> lines;
    for (const std::size_t i : present()) lines.push_back(seats_[i].room.chat().messages().size());
    require(send(*message).taken, "an authentic message is refused");
    const auto content = wire::decode<chat_content>(words);
    auto had = lines.begin();
    for (const std::size_t i : present()) {
      const auto& chat = seats_[i].room.chat().messages();
      require(chat.size() == *had++ + (content ? 1U : 0U), "the chat has more or less than what is text");
      if (!content) continue;
      require(chat.back().sender == evil_->own_leaf() && equal(as_bytes(chat.back().text), content->text) &&
                  chat.back().name == "mallory",
              "the chat says something else, or in another name");
    }
    pass_on_verification();
  }

  bytes of_a_verification() {
    sas::message m;
    m.type = sas::message_type{static_cast<std::uint8_t>(in_.byte() % 6)};
    m.run_id.fill(in_.byte() % 2);
    std::vector<std::uint32_t> who;
    for (std::uint32_t bits = in_.byte(), i = 0; i < 8; ++i)
      if ((bits >> i & 1U) != 0) who.push_back(i);
    const bytes items = wire::encode_items(who);
    const bytes hash(32, in_.byte());
    m.start = {evil_->epoch_number(), sas::form{static_cast<std::uint8_t>(in_.byte() % 6)}, in_.byte(),
               wire::list<std::uint32_t>::of(items, who.size())};
    m.commitment = hash;
    m.nonce.fill(in_.byte());
    m.abort = {sas::abort_reason{in_.byte()}, in_.byte() % 8U};
    bytes out = wire::encode(m);
    edit(out, in_);
    return out;
  }

  /// package(): of somebody new, of mallory's second device, or of somebody who shows the key of a member.
  bytes package() {
    const auto suite = must(basic_suite<default_provider>::make(suite_1));
    const std::uint8_t what = in_.byte() % 4;
    client who = client_of(seats_[what == 0 ? in_.byte() % seats_.size() : 0].who);
    if (what != 0) who.signer = must(signature_key::generate<default_provider>(env_, suite.signature()));
    if (what == 2) who.extensions.clear();  // understands no meeting
    if (what == 3) edit(who.leaf_extensions, in_);
    const auto made = make_key_package<default_provider>(env_, suite, who, {std::chrono::hours{24}, false});
    return made ? made->message : bytes{};
  }

  /// changed(): the parameters of the meeting, some of them others.
  bytes changed() {
    const meeting& room = seats_[present().front()].room;
    meeting_parameters p = room.parameters();
    encoded_roles roles{to_bytes(p.roles.encoded()), p.roles.size()};
    bool spoilt = false;
    for (unsigned n = 1 + in_.byte() % 2U; n > 0; --n) {
      const std::uint8_t to = in_.byte();
      switch (in_.byte() % 12) {
        case 0: p.door = door{static_cast<std::uint8_t>(to % 5)}; break;
        case 1: p.capacity = to; break;
        case 2: p.admits = role{static_cast<std::uint8_t>(to % 4)}; break;
        case 3: p.removes = role{static_cast<std::uint8_t>(to % 4)}; break;
        case 4: p.locks = role{static_cast<std::uint8_t>(to % 4)}; break;
        case 5: p.code_bits = to; break;
        case 6: p.media = sframe::cipher_suite{static_cast<std::uint16_t>(to % 9)}; break;
        case 7: p.epoch_bits = to % 32; break;
        case 8: p.version = to % 3; break;
        case 9: spoilt = true; break;
        default: {
          const leaf_index target{to % room.tree().leaf_count()};
          if (!room.tree().contains(target)) break;
          roles = with_role(p.roles, room.tree().leaf(target)->signature_key,
                            role{static_cast<std::uint8_t>(in_.byte() % 4)});
          break;
        }
      }
      p.roles = roles.list();
    }
    if (spoilt) edit(roles.items, in_);
    p.roles = roles.list();
    const auto context = must(wire::decode<group_context>(evil_->group_context()));
    bytes out = with_parameters(context.extensions, p);
    if (in_.byte() % 8 == 0) edit(out, in_);
    return out;
  }

  void propose() {
    if (!mallory_is_in()) return;
    group before = look::copy_of(*evil_);
    const bytes added = package(), extensions = changed(), nonce(32, in_.byte());
    proposal p;
    const leaf_index target{in_.byte() % evil_->tree().leaf_count()};
    const std::uint8_t what = in_.byte() % 8;
    const auto made = [&]() -> result<bytes> {
      switch (what) {
        case 0: return evil_->propose_add(env_, added);
        case 1: return evil_->propose_remove(env_, target);
        case 2: return evil_->propose_update(env_);
        case 3:
          p.type = proposal_type::group_context_extensions;
          if (const auto items = extension_list::check(extensions)) p.group_context_extensions = *items;
          break;
        case 4:
          p.type = proposal_type::psk;
          p.psk = {psk_type::external, as_bytes("mine"), {}, {}, 0, nonce};
          break;
        case 5:
          p.type = proposal_type::reinit;
          p.reinit = {as_bytes("next"), protocol_version::mls10, suite_1, {}};
          break;
        case 6: p.type = proposal_type::self_remove; break;
        default: p.type = proposal_type{0xf001}; break;
      }
      return evil_->propose(env_, p);
    }();
    if (made && send(*made).taken) {
      waiting_ = true;
      if (what == 1 && target == evil_->own_leaf()) leaving_.push_back(target);
      return;
    }
    evil_.emplace(std::move(before));  // mallory forgets it as well, to go on
  }

  void forge() {
    if (!mallory_is_in()) return;
    commit_request request;
    const bytes added = package(), extensions = changed(), nonce(32, in_.byte());
    const byte_view add{added};
    const leaf_index target{in_.byte() % evil_->tree().leaf_count()};
    const pre_shared_key_id psk{psk_type::external, as_bytes("mine"), {}, {}, 0, nonce};
    client next = mallory_.clone();
    const std::uint8_t what = in_.byte();
    if ((what & 1U) != 0) request.extensions = extensions;
    if ((what & 2U) != 0 && target != evil_->own_leaf()) request.remove = {&target, 1};
    if ((what & 4U) != 0) request.add = {&add, 1};
    if ((what & 8U) != 0 && in_.byte() % 2 == 0) request.psks = {&psk, 1};
    if ((what & 0x30U) == 0x30U) {
      next.signer = in_.byte() % 4 == 0
                        ? seats_[in_.byte() % seats_.size()].who.key().clone()
                        : must(signature_key::generate<default_provider>(env_, mallory_.signer.scheme()));
      request.becomes = &next;
    }
    if (what == 0xff) request.reinit_as = reinit{as_bytes("next"), protocol_version::mls10, suite_1, {}};
    request.path = (what & 0x40U) == 0;
    auto pending = evil_->commit(env_, request);
    if (!pending) return;
    const facts before(seats_[present().front()].room);
    const role most = before.of(evil_->own_leaf());
    const verdict got = send(pending->message());
    if (!got.taken) return;
    must(evil_->apply(*std::move(pending)));
    if (request.becomes != nullptr) mallory_ = std::move(next);
    follow(before, got, most);
  }

  void follow(const facts& before, const verdict& got, role most) {
    if (!got.effect) return;  // all honest ones are out
    judge(before, seats_[present().front()].room, std::get<epoch_change>(*got.effect), most);
  }

  /// Mallory, or whoever it says it is, comes in by external Commit: for the first time, back, or in somebody's place.
  void enter() {
    const std::size_t i = somebody();
    const auto info = seats_[i].room.entrance();
    if (!info) return;
    client who = mallory_.clone();
    if (in_.byte() % 4 == 0) who.signer = must(signature_key::generate<default_provider>(env_, who.signer.scheme()));
    external_join_options options;
    options.resync = in_.byte() % 2 == 0;
    if (in_.byte() % 4 == 0) options.replaces = leaf_index{in_.byte() % seats_[i].room.tree().leaf_count()};
    auto joined = group::join_external(env_, who.clone(), *info, options, policy());
    if (!joined) return;
    const facts before(seats_[i].room);
    const verdict got = send(joined->commit);
    if (!got.taken) return;
    evil_.emplace(std::move(joined->group));
    mallory_ = std::move(who);
    follow(before, got, role::participant);
  }

  /// An honest message with bytes of it changed by somebody without keys.
  void damage() {
    const std::size_t i = somebody();
    const auto whole = seats_[i].room.refresh();
    require(whole.has_value(), "an honest member cannot commit");
    bytes message = to_bytes(whole->commit());
    edit(message, in_);
    if (equal(message, whole->commit())) return;
    for (const std::size_t k : present()) {
      if (k == i) continue;
      const bytes before = state_of(seats_[k].room);
      require(!seats_[k].room.receive(message), "a damaged message was accepted");
      require(state_of(seats_[k].room) == before, "a damaged message has changed the state");
    }
  }

  // ---- in the end ----------------------------------------------------------------------------------------------------

  void live_on() {
    // whatever was said of verifications, admissions are not held for ever
    env_.advance(std::chrono::duration_cast<std::chrono::seconds>(2 * limits::verification_phase +
                                                                  limits::verification_comparing));
    const std::size_t first = present().front();
    auto refresh = seats_[first].room.refresh();
    require(refresh.has_value(), "an honest member cannot commit");
    commit(first, std::move(refresh));
    agree();
    if (present().empty()) return;
    write(present().back());
    for (const std::size_t i : present()) {
      meeting& room = seats_[i].room;
      require(!room.admissions_held(), "admissions are held for ever");
      const meeting_parameters p = room.parameters();
      if (p.door >= door::locked || room.role_of(room.own_leaf()) < p.admits || room.size() >= p.capacity) continue;
      const std::size_t people = room.size();
      names_ = 0;
      admit(i);
      require(room.size() == people + 1, "nobody can be let in any more");
      break;
    }
    agree();
  }

  script in_;
  deterministic_environment env_{5};
  std::size_t names_ = 0;
  own_psk psks_;
  std::deque<seat> seats_;
  client mallory_ = client_of(must(identity::generate(env_, "mallory")));
  std::optional<group> evil_;
  std::vector<leaf_index> leaving_;
  bool waiting_ = false;  // a proposal waits for a commit
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= 512) play(script{{data, size}}).go();
  return 0;
}
