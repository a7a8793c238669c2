// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files of rules: what they say, how they are written, and where each kind of mistake is found.
#include <conclave/store/rules_json.hpp>

#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>

using namespace conclave;

namespace {

std::string file(const std::string& path) {
  std::ifstream in(CONCLAVE_VECTORS "/../" + path, std::ios::binary);
  REQUIRE(in);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

rules_document loaded(std::string_view text_of_file) {
  rules_error error;
  auto d = load_rules(text_of_file, error);
  INFO(text(error));
  REQUIRE(d);
  return *std::move(d);
}

/// wrong(text): the error of a file that has one; the place in `text` is marked with a caret, which is taken out.
rules_error wrong(std::string marked, rules_fault expected) {
  const std::size_t at = marked.find('^');
  REQUIRE(at != std::string::npos);
  marked.erase(at, 1);
  rules_error error;
  const auto d = load_rules(marked, error);
  INFO(marked << "\n" << text(error));
  CHECK_FALSE(d);
  CHECK(name(error.fault) == name(expected));
  CHECK(error.offset == at);
  CHECK(error.line ==
        1 + static_cast<std::size_t>(std::count(marked.begin(), marked.begin() + static_cast<long>(at), '\n')));
  CHECK_FALSE(error.message.empty());
  return error;
}

}  // namespace

TEST_CASE("a file of one line is a preset") {
  for (const preset p : {preset::webex, preset::teams, preset::open}) {
    const auto d = loaded("{\"preset\": \"" + std::string{name(p)} + "\"}");
    CHECK(d.rules == rules_of(p));
    CHECK(d.policies == encryption_policies{});
  }
  CHECK(loaded("\xEF\xBB\xBF{\"preset\":\"open\"}\r\n").rules == rules_of(preset::open));
}

TEST_CASE("presets are written as the files written by hand, and read from them") {
  for (const preset p : {preset::webex, preset::teams, preset::open}) {
    const std::string expected = file("tests/rules/files/" + std::string{name(p)} + ".json");
    rules_document d;
    d.rules = rules_of(p);
    const auto written = save_rules(d);
    REQUIRE(written);
    CHECK(*written == expected);
    CHECK(loaded(expected) == d);
  }
}

TEST_CASE("the example of docs/rules.md says what it is meant to say") {
  const std::string docs = file("docs/rules.md");
  const std::size_t begin = docs.find("```json\n") + 8, end = docs.find("```", begin);
  REQUIRE(end != std::string::npos);
  const auto d = loaded(docs.substr(begin, end - begin));

  meeting_rules expected = rules_of(preset::teams);
  expected.encryption = {.premium_licence = false, .devices_enabled = true};
  auto& a = expected.admission;
  a.participants = 1000;
  a.participants_if_device_first = 500;
  a.devices_among_first = 25;
  a.app_participants = 20;
  a.lobby = lobby_rule::everybody;
  a.least_identity = identity_state::unverified;
  a.admits_ucf = true;
  a.kinds = {true, true, true, false, true};
  const auto on = [&](platform p) -> platform_rule& { return a.platforms[static_cast<std::size_t>(p)]; };
  on(platform::desktop_windows) = platform_rule::from({{24, 1}});
  on(platform::desktop_linux) = platform_rule::from({{24, 1, 3}});
  on(platform::web) = platform_rule::any();
  on(platform::room_device) = {};
  const auto use = [&](feature f) -> feature_use& { return expected.features.uses[static_cast<std::size_t>(f)]; };
  use(feature::local_recording) = use(feature::breakout_rooms) = feature_use::always;
  use(feature::live_captions) = feature_use::off;
  CHECK(d.rules == expected);

  using enum encryption_policy;
  CHECK(d.policies.global == not_enabled_but_users_can_enable);
  CHECK(d.policies.named ==
        std::vector<encryption_policies::policy>{{"legal", not_enabled_but_users_can_enable}, {"school", not_enabled}});
  CHECK(d.policies.of("bela@example.org").name == "school");
  CHECK(d.policies.of("ada@example.org").name == "legal");
  CHECK(d.policies.assigned.size() == 2);
  const auto again = save_rules(d);
  REQUIRE(again);
  CHECK(loaded(*again) == d);
}

TEST_CASE("docs/rules.md names every key, every word and every number of the format") {
  const std::string docs = file("docs/rules.md");
  const auto has = [&](std::string_view word, char quote) {
    INFO(word);
    CHECK(docs.find(quote + std::string{word} + quote) != std::string::npos);
  };
  rules_document d;
  rules_format::for_each_field(d, [&](const rules_format::rules_path& path, const rules_format::rules_field&) {
    has(path[0], '`');
    has(path[1], '`');
    if (!path[2].empty()) has(path[2], '`');
    return true;
  });
  const auto words = [&]<class E>(E e) {
    for (const std::string_view word : names(e)) has(word, '"');
  };
  words(preset{});
  words(lobby_rule{});
  words(identity_state{});
  words(encryption_policy{});
  words(feature_use{});
  for (const std::size_t n :
       {std::size_t{limits::leaves}, limits::rules_policies, limits::rules_assignments, limits::name_bytes})
    CHECK(docs.find(std::to_string(n)) != std::string::npos);
  CHECK(limits::rules_bytes == 1U << 20U);
  CHECK(docs.find("as " + std::to_string(client_claims::size) + " bytes") != std::string::npos);
  const auto numbers = [&]<class E>(E e) {
    for (std::size_t i = 0; i < names(e).size(); ++i) {
      const std::string entry = std::to_string(i) + ' ' + std::string{names(e)[i]};
      INFO(entry);
      CHECK(docs.find(entry) != std::string::npos);
    }
  };
  numbers(platform{});
  numbers(client_experience{});
  numbers(audio_route{});
}

TEST_CASE("the policies of an organisation are written in their order and with every character") {
  rules_document d;
  d.rules = rules_of(preset::open);
  d.policies.global = encryption_policy::not_enabled;
  d.policies.named = {{"z", encryption_policy::not_enabled}, {"a \"b\"\n\\", {}}, {"\xC3\xA9", {}}};
  d.policies.assigned = {{"chidi", "\xC3\xA9"}, {"ada", "z"}};
  const auto written = save_rules(d);
  REQUIRE(written);
  CHECK(
      written->find("\"policies\": {\n      \"z\": \"not_enabled\",\n      \"a \\\"b\\\"\\n\\\\\": \"not_enabled\",\n"
                    "      \"\xC3\xA9\": \"not_enabled\"\n    },\n    \"assigned\": {\n      \"chidi\": \"\xC3\xA9\",\n"
                    "      \"ada\": \"z\"\n    }\n  },") != std::string::npos);
  CHECK(loaded(*written) == d);
}

TEST_CASE("what could not be read again is not written") {
  const auto refused = [](auto&& change) {
    rules_document d;
    d.rules = rules_of(preset::teams);
    REQUIRE(save_rules(d));
    change(d);
    const auto written = save_rules(d);
    REQUIRE_FALSE(written);
    CHECK(written.error() == errc::misuse);
  };
  refused([](rules_document& d) { d.rules.origin = static_cast<preset>(9); });
  refused([](rules_document& d) { d.rules.admission.participants = 0; });
  refused([](rules_document& d) { d.rules.admission.participants = limits::leaves + 1; });
  refused([](rules_document& d) { d.rules.admission.lobby = static_cast<lobby_rule>(3); });
  refused([](rules_document& d) { d.rules.admission.platforms.back() = platform_rule::any(); });
  refused([](rules_document& d) { d.rules.features.uses.back() = feature_use::always; });
  refused([](rules_document& d) { d.policies.named = {{"", {}}}; });
  refused([](rules_document& d) { d.policies.named = {{"\xff", {}}}; });
  refused([](rules_document& d) { d.policies.named = {{"a", {}}, {"a", {}}}; });
  refused([](rules_document& d) { d.policies.named = {{std::string(limits::name_bytes + 1, 'a'), {}}}; });
  refused([](rules_document& d) { d.policies.assigned = {{"ada", "gone"}}; });
}

TEST_CASE("what is not JSON is found where it stops being JSON") {
  for (const char* text : {"^", "{^", " \n\t^", "{\"preset\"^}", "{\"preset\": \"teams\"^", "{\"preset\": \"teams\"}^x",
                           "{\"preset\": \"teams\",^}", "{\"preset\": \"tea\\^q\"}", "{\"preset\": t^eams}",
                           "{\"preset\": \"teams\"}\n^// no comments", "{\"preset\": \"a^\n\"}",
                           "{\"preset\": \"a^\x01\"}", "{^'preset': 1}", "{\"preset\": \"\xC3^\x28\"}",
                           "{\"preset\": \"teams\", \"admission\": {\"devices_among_first\": 0^1}}"})
    wrong(text, rules_fault::not_json);
  CHECK(wrong("{\"preset\": \"teams\"^", rules_fault::not_json).message == "the file ends too early");
}

TEST_CASE("a file starts with its preset, and is one object") {
  CHECK(wrong("^{}", rules_fault::preset_first).message == "the first key must be \"preset\"");
  CHECK(wrong("\n {\n^\"features\": {}}", rules_fault::preset_first).key == "features");
  wrong("{\"preset\": ^\"zoom\"}", rules_fault::out_of_range);
  wrong("{\"preset\": ^null}", rules_fault::wrong_type);
  wrong("{\"preset\": ^{}}", rules_fault::wrong_type);
  wrong("{\"preset\":^[]}", rules_fault::wrong_type);
  for (const char* other : {"^[]", " ^17", "^\"teams\"", "\xEF\xBB\xBF^true", "^null", "^-1.5"})
    wrong(other, rules_fault::wrong_type);
}

TEST_CASE("unknown keys and keys that are there twice are named, with their place") {
  const auto key_of = [](const std::string& rest, rules_fault fault) {
    return wrong("{\"preset\": \"open\",\n" + rest, fault).key;
  };
  using enum rules_fault;
  CHECK(key_of("^\"admision\": {}}", unknown_key) == "admision");
  CHECK(key_of("\"admission\": {\"participants\": 7, ^\"participant\": 7}}", unknown_key) == "admission.participant");
  CHECK(key_of("\"admission\": {\"platforms\": {\"ios\": \"any\" , ^\"be os\": \"any\"}}}", unknown_key) ==
        "admission.platforms.be os");
  CHECK(key_of("\"features\": {^\"admission\": {}}}", unknown_key) == "features.admission");
  CHECK(key_of("^\"\": 1}", unknown_key) == "");
  CHECK(key_of("^\"admission.participants\": 1}", unknown_key) == "admission.participants");
  CHECK(key_of("^\"kinds\": {}}", unknown_key) == "kinds");
  CHECK(key_of("^\"a\\u001b[31m\\u0000\\u009b\": 1}", unknown_key) == "a?[31m??");
  CHECK(key_of("^\"" + std::string(200, 'k') + "\": 1}", unknown_key) == std::string(64, 'k') + "...");
  CHECK(key_of("^\"preset\": \"teams\"}", duplicate_key) == "preset");
  CHECK(key_of("\"features\": {\"chat\": \"off\", ^\"chat\": \"off\"}}", duplicate_key) == "features.chat");
  CHECK(key_of("\"features\": {}, ^\"features\": {}}", duplicate_key) == "features");
  CHECK(key_of("\"encryption\": {\"policies\": {\"a\": \"not_enabled\", ^\"a\": \"not_enabled\"}}}", duplicate_key) ==
        "encryption.policies.a");
  CHECK(key_of("\"encryption\": {\"assigned\": {\"a\": \"p\", ^\"a\": \"p\"}}}", duplicate_key) ==
        "encryption.assigned.a");
}

TEST_CASE("values of another type or out of range are named, with their place") {
  using enum rules_fault;
  struct {
    const char *section, *key, *rest;
    rules_fault fault;
  } const table[] = {
      {"admission", "participants", "^true", wrong_type},
      {"admission", "participants", "^\"200\"", wrong_type},
      {"admission", "participants", "^null", wrong_type},
      {"admission", "participants", "^{}", wrong_type},
      {"admission", "participants", "^[200]", wrong_type},
      {"admission", "participants", "^0", out_of_range},
      {"admission", "participants", "^-5", out_of_range},
      {"admission", "participants", "^2.5 ", out_of_range},
      {"admission", "participants", "^1e3", out_of_range},
      {"admission", "participants", "^1048577", out_of_range},
      {"admission", "participants", "^18446744073709551617", out_of_range},
      {"admission", "devices_among_first", "^1048577", out_of_range},
      {"admission", "lobby", "^\"Everybody\"", out_of_range},
      {"admission", "lobby", "^2", wrong_type},
      {"admission", "least_identity", "^\"verified\"", out_of_range},
      {"admission", "admits_ucf", "^1", wrong_type},
      {"admission", "admits_ucf", "^\"true\"", wrong_type},
      {"admission", "kinds", "^true", wrong_type},
      {"admission", "kinds", "{\"channel\": ^\"yes\"}", wrong_type},
      {"admission", "platforms", "{\"ios\": ^\"\"}", out_of_range},
      {"admission", "platforms", "{\"ios\": ^\"1.2.3.4.5\"}", out_of_range},
      {"admission", "platforms", "{\"ios\": ^41.7}", wrong_type},
      {"admission", "platforms", "{\"ios\":\n\n  ^false}", wrong_type},
      {"admission", "platforms", "{\"pstn\": \"refused\", \"sip\": ^\"any\"}", impossible},
      {"admission", "platforms", "{\"cvi\": ^\"1\"}", impossible},
      {"features", "chat", "^\"on\"", out_of_range},
      {"features", "chat", "^false", wrong_type},
      {"features", "live_captions", "^\"always\"", impossible},
      {"encryption", "global_policy", "^\"enabled\"", out_of_range},
      {"encryption", "policies", "^\"a\"", wrong_type},
      {"encryption", "policies", "{\"a\": ^\"enabled\"}", out_of_range},
      {"encryption", "policies", "{\"a\": ^{}}", wrong_type},
      {"encryption", "policies", "{\"\": ^\"not_enabled\"}", out_of_range},
      {"encryption", "assigned", "{\"ada\": ^1}", wrong_type},
      {"encryption", "assigned", "{\"ada\": ^\"gone\", \"bela\": \"gone\"}", unknown_policy},
      {"encryption", "assigned", "{\"ada\": \"p\", \"bela\": ^\"q\"}, \"policies\": {\"p\": \"not_enabled\"}",
       unknown_policy},
  };
  for (const auto& line : table) {
    const auto error = wrong(
        std::string("{\"preset\":\"webex\",\n\"") + line.section + "\": {\n  \"" + line.key + "\": " + line.rest + "}}",
        line.fault);
    CHECK(error.key.starts_with(std::string(line.section) + "." + line.key));
  }
  CHECK(text(wrong("{\n  \"preset\": \"teams\",\n  \"admission\": {\n    \"participants\": ^0 } }", out_of_range)) ==
        "line 4, column 21: admission.participants: must be a whole number from 1 to 1048576");
  // a column counts characters, and a number directly before another token does not move it
  CHECK(wrong("{\"preset\":\"open\",\"encryption\":{\"policies\":{\"\xC3\xA9\xC3\xA9\":^1}}}", wrong_type).column ==
        49);
  wrong("{\"preset\":\"open\",\"admission\":{\"participants\":7,\"app_participants\":9},^\"x\":1}", unknown_key);
  wrong("{\"preset\":\"open\",\"admission\":{\"participants\":7},^\"x\":1}", unknown_key);
}

TEST_CASE("files of rules have a size, and a failed one changes nothing") {
  rules_error error;
  error.message = "as before";
  CHECK(load_rules("{\"preset\": \"open\"}", error));
  CHECK(error.message == "as before");
  std::string large = "{\"preset\": \"open\"}";
  large.resize(limits::rules_bytes, ' ');
  CHECK(load_rules(large, error));
  large += ' ';
  const auto refused = load_rules(large, error);
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == errc::over_limit);
  CHECK(error.fault == rules_fault::too_large);

  const auto organisation = [](std::size_t policies, std::size_t people) {
    std::string out = "{\"preset\": \"open\", \"encryption\": {\"policies\": {";
    for (std::size_t i = 0; i < policies; ++i)
      out += (i == 0 ? "\"p" : ", \"p") + std::to_string(i) + "\": \"not_enabled\"";
    out += "}, \"assigned\": {";
    for (std::size_t i = 0; i < people; ++i) out += (i == 0 ? "\"" : ", \"") + std::to_string(i) + "\": \"p0\"";
    return out + "}}}";
  };
  CHECK(loaded(organisation(limits::rules_policies, limits::rules_assignments)).policies.assigned.size() ==
        limits::rules_assignments);
  CHECK(load_rules(organisation(limits::rules_policies + 1, 0), error).error() == errc::over_limit);
  CHECK(error.key == "encryption.policies.p256");
  CHECK(load_rules(organisation(1, limits::rules_assignments + 1), error).error() == errc::over_limit);
  CHECK(error.fault == rules_fault::too_large);
  CHECK(load_rules(std::string(limits::rules_bytes, '['), error).error().broken_rule() == &rules::rules_file);
  const std::string name(limits::name_bytes, 'n');
  CHECK(load_rules("{\"preset\":\"open\",\"encryption\":{\"policies\":{\"" + name + "\":\"not_enabled\"}}}", error));
  CHECK_FALSE(
      load_rules("{\"preset\":\"open\",\"encryption\":{\"policies\":{\"" + name + "n\":\"not_enabled\"}}}", error));
  CHECK(error.fault == rules_fault::out_of_range);
}
