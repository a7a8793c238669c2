// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Files of rules: meeting_rules and the policies of an organisation as JSON, in the format of docs/rules.md. Reading
/// is strict, and says where and why it stops; what is written can be read again.
#pragma once

#include <conclave/store/rules_format.hpp>

#include <nlohmann/json.hpp>

#include <set>

namespace conclave::inline CONCLAVE_ABI {

namespace rules_format {

/// counting_iterator: over characters; whoever holds `read` knows how many a parser has taken.
class counting_iterator {
 public:
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;
  using iterator_category = std::input_iterator_tag;

  counting_iterator(const char* at, std::size_t* read) noexcept : at_{at}, read_{read} {}
  [[nodiscard]] reference operator*() const noexcept { return *at_; }
  counting_iterator& operator++() noexcept {
    ++at_;
    ++*read_;
    return *this;
  }
  counting_iterator operator++(int) noexcept {
    counting_iterator old = *this;
    ++*this;
    return old;
  }
  friend bool operator==(const counting_iterator& a, const counting_iterator& b) noexcept { return a.at_ == b.at_; }

 private:
  const char* at_;
  std::size_t* read_;
};

/// rules_reader: takes a file of rules event by event, as nlohmann's parser calls them; false stops it.
class rules_reader {
 public:
  rules_reader(std::string_view text, rules_document& out, rules_error& error) noexcept
      : text_{text}, out_{&out}, error_{&error} {}

  [[nodiscard]] bool parse() {
    return nlohmann::json::sax_parse(counting_iterator{text_.data(), &read_},
                                     counting_iterator{text_.data() + text_.size(), &read_}, this) &&
           assignments_are_known();
  }

  // the events: NOLINTBEGIN, their names and parameters are nlohmann's
  bool null() { return scalar(nullptr); }
  bool boolean(bool value) { return scalar(value); }
  bool number_integer(std::int64_t value) {
    return scalar(static_cast<double>(value));
  }  // only negative ones come here
  bool number_unsigned(std::uint64_t value) { return scalar(value); }
  bool number_float(double value, const std::string&) { return scalar(value); }
  bool string(std::string& value) { return scalar(std::string_view{value}); }
  bool binary(std::vector<std::uint8_t>&) { return false; }  // not in JSON
  bool start_array(std::size_t) {
    begin();
    return wrong(rules_fault::wrong_type, opened_.empty() ? "must be an object" : "lists have no place here");
  }
  bool end_array() { return false; }

  bool start_object(std::size_t) {
    begin();
    if (!opened_.empty() && !is_section())
      return wrong(rules_fault::wrong_type, "must be a single value, not an object");
    opened_.push_back({token_, {}});
    return true;
  }
  bool end_object() {
    if (opened_.size() == 1 && !has_preset_)
      return wrong_at(opened_[0].begin, rules_fault::preset_first, preset_message);
    opened_.pop_back();
    token_end_ = read_;
    return true;
  }
  bool key(std::string& name) {
    begin();
    path_.resize(opened_.size() - 1);
    path_.push_back(name);
    if (opened_.size() == 1 && !has_preset_ && name != "preset")
      return wrong(rules_fault::preset_first, preset_message);
    if (!opened_.back().keys.insert(name).second) return wrong(rules_fault::duplicate_key, "is here twice");
    if (!is_known()) return wrong(rules_fault::unknown_key, "there is no such key here");
    return true;
  }
  bool parse_error(std::size_t position, const std::string& last, const nlohmann::detail::exception&) {
    error_->key.clear();
    const std::size_t at = std::min(position == 0 ? 0 : position - 1, text_.size());
    return wrong_at(at, rules_fault::not_json,
                    at == text_.size() ? "the file ends too early" : "this is not JSON: " + printable(last, false));
  }
  // NOLINTEND

 private:
  static constexpr const char* preset_message = "the first key must be \"preset\"";

  struct object {
    std::size_t begin;
    std::set<std::string> keys;
  };

  /// begin(): the parser has just read a token, and after a number one character more; it began behind the last one.
  void begin() noexcept {
    token_ = token_end_;
    if (token_ == 0 && text_.starts_with("\xEF\xBB\xBF")) token_ = 3;
    while (token_ < text_.size() && std::string_view{" \t\r\n,:"}.find(text_[token_]) != std::string_view::npos)
      ++token_;
    token_end_ = read_;
  }

  [[nodiscard]] bool in(std::string_view section) const noexcept {
    return path_.size() == 3 && path_[0] == "encryption" && path_[1] == section;
  }
  [[nodiscard]] bool starts(const rules_path& field) const noexcept {
    return std::ranges::equal(path_, std::span{field}.first(std::min(path_.size(), field.size())));
  }
  [[nodiscard]] static std::size_t depth(const rules_path& field) noexcept { return field[2].empty() ? 2 : 3; }

  /// is_known(), is_section(): the path leads somewhere; it leads to an object.
  [[nodiscard]] bool is_known() const {
    if (path_.size() == 1 && path_[0] == "preset") return true;
    if (in(policies_key) || in(assigned_key) || is_section()) return true;
    bool found = false;
    for_each_field(*out_, [&](const rules_path& at, const rules_field&) {
      found = starts(at);
      return !found;
    });
    return found;
  }
  [[nodiscard]] bool is_section() const {
    if (path_.size() == 2 && path_[0] == "encryption" && (path_[1] == policies_key || path_[1] == assigned_key))
      return true;
    bool found = false;
    for_each_field(*out_, [&](const rules_path& at, const rules_field&) {
      found = path_.size() < depth(at) && starts(at);
      return !found;
    });
    return found;
  }

  bool scalar(const json_scalar& value) {
    begin();
    if (opened_.empty() || is_section()) return wrong(rules_fault::wrong_type, "must be an object");
    if (path_.size() == 1) return take(store_preset(value));
    if (in(policies_key)) return take(store_policy(value));
    if (in(assigned_key)) return take(store_assignment(value));
    rules_problem problem;
    for_each_field(*out_, [&](const rules_path& at, const rules_field& field) {
      if (!starts(at)) return true;
      problem = std::visit([&](const auto& f) { return store(f, value); }, field);
      return false;
    });
    return take(problem);
  }

  [[nodiscard]] rules_problem store_preset(const json_scalar& value) {
    preset chosen{};
    if (auto problem = store(name_field<preset>{&chosen}, value); !problem.message.empty()) return problem;
    out_->rules = rules_of(chosen);
    has_preset_ = true;
    return {};
  }
  [[nodiscard]] rules_problem store_policy(const json_scalar& value) {
    if (auto problem = fits(path_[2], out_->policies.named.size(), limits::rules_policies); !problem.message.empty())
      return problem;
    encryption_policy policy{};
    if (auto problem = store(name_field<encryption_policy>{&policy}, value); !problem.message.empty()) return problem;
    out_->policies.named.push_back({path_[2], policy});
    return {};
  }
  [[nodiscard]] rules_problem store_assignment(const json_scalar& value) {
    if (auto problem = fits(path_[2], out_->policies.assigned.size(), limits::rules_assignments);
        !problem.message.empty())
      return problem;
    const auto* policy = std::get_if<std::string_view>(&value);
    if (policy == nullptr) return {rules_fault::wrong_type, "must be the name of a policy"};
    out_->policies.assigned.push_back({path_[2], std::string{*policy}});
    assigned_at_.push_back(token_);
    return {};
  }
  [[nodiscard]] static rules_problem fits(std::string_view name, std::size_t before, std::size_t most) {
    if (name.empty() || name.size() > limits::name_bytes)
      return {rules_fault::out_of_range, "the name must have 1 to " + std::to_string(limits::name_bytes) + " bytes"};
    if (before >= most) return {rules_fault::too_large, "there may be " + std::to_string(most) + " of these at most"};
    return {};
  }

  /// assignments_are_known(): policies may stand after those who have them.
  [[nodiscard]] bool assignments_are_known() {
    const auto& policies = out_->policies;
    std::set<std::string_view> known_policies;
    for (const auto& p : policies.named) known_policies.insert(p.name);
    for (std::size_t i = 0; i < policies.assigned.size(); ++i) {
      if (known_policies.contains(policies.assigned[i].policy)) continue;
      path_ = {"encryption", std::string{assigned_key}, policies.assigned[i].organizer};
      return wrong_at(assigned_at_[i], rules_fault::unknown_policy, "there is no policy of this name");
    }
    return true;
  }

  [[nodiscard]] bool take(const rules_problem& problem) {
    return problem.message.empty() || wrong(problem.fault, problem.message);
  }
  bool wrong(rules_fault fault, std::string message) { return wrong_at(token_, fault, std::move(message)); }
  bool wrong_at(std::size_t offset, rules_fault fault, std::string message) {
    error_->fault = fault;
    error_->offset = offset;
    for (const char c : text_.substr(0, offset)) {
      if (c == '\n') {
        ++error_->line;
        error_->column = 1;
      } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) {
        ++error_->column;
      }
    }
    if (fault != rules_fault::not_json)
      for (const std::string& part : path_) error_->key += (error_->key.empty() ? "" : ".") + printable(part);
    error_->message = std::move(message);
    return false;
  }
  /// printable(text, utf8): for a log or a terminal: short, and without what would control it.
  [[nodiscard]] static std::string printable(std::string_view text, bool utf8 = true) {
    constexpr std::size_t most = 64;
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      const bool follows = utf8 && (c & 0xC0U) == 0x80;
      if (out.size() >= most && !follows) return out + "...";
      const bool second_controls = c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
      if (c < 0x20 || c == 0x7F || (c >= 0x80 && !utf8) || second_controls) {
        out += '?';
        i += utf8 && second_controls ? 1 : 0;
      } else {
        out += text[i];
      }
    }
    return out;
  }

  std::string_view text_;
  rules_document* out_;
  rules_error* error_;
  std::size_t read_ = 0, token_ = 0, token_end_ = 0;
  bool has_preset_ = false;
  std::vector<object> opened_;
  std::vector<std::string> path_;
  std::vector<std::size_t> assigned_at_;
};

[[nodiscard]] inline std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace rules_format

/// load_rules(text, error): the rules in a file: those of the preset that it names, with what it says otherwise.
/// Errors: malformed, over_limit (more than limits::rules_bytes); `error` then says what and where, and is untouched
/// otherwise.
[[nodiscard]] inline result<rules_document> load_rules(std::string_view text, rules_error& error) {
  if (text.size() > limits::rules_bytes) {
    error = {rules_fault::too_large, limits::rules_bytes, 1, 1, {}, "the file is too large"};
    return failure{errc::over_limit, rules::rules_file_size};
  }
  rules_document out;
  rules_error wrong;
  if (!rules_format::rules_reader(text, out, wrong).parse()) {
    error = std::move(wrong);
    return failure{error.fault == rules_fault::too_large ? errc::over_limit : errc::malformed, rules::rules_file};
  }
  return out;
}

/// save_rules(document): a complete file, every rule in it, which load_rules reads as the same document. misuse where
/// it would not: names that are empty, too long, not UTF-8 or there twice, assigned policies that are not there,
/// numbers out of range, what needs a server that decrypts.
[[nodiscard]] inline result<std::string> save_rules(const rules_document& document) {
  rules_document d = document;
  if (!known(d.rules.origin)) return errc::misuse;
  std::string out = "{\n  \"preset\": \"" + std::string{name(d.rules.origin)} + '"';
  rules_format::rules_path last{};
  const auto indent = [](std::size_t depth) { return std::string(2 * depth, ' '); };
  const auto close = [&](const rules_format::rules_path& next) {
    if (!last[2].empty() && (last[0] != next[0] || last[1] != next[1])) out += '\n' + indent(2) + '}';
    if (!last[0].empty() && last[0] != next[0]) out += '\n' + indent(1) + '}';
  };
  const auto map = [&](std::string_view key, const auto& items, auto&& item) {
    out += ",\n" + indent(2) + '"' + std::string{key} + "\": {";
    bool first = true;
    for (const auto& i : items) {
      out += (first ? "\n" : ",\n") + indent(3) + item(i);
      first = false;
    }
    out += first ? "}" : '\n' + indent(2) + '}';
  };
  rules_format::for_each_field(d, [&](const rules_format::rules_path& at, const rules_format::rules_field& field) {
    close(at);
    if (at[0] != last[0])
      out += ",\n" + indent(1) + '"' + std::string{at[0]} + "\": {\n";
    else
      out += ",\n";
    if (!at[2].empty()) {
      if (at[0] != last[0] || at[1] != last[1]) out += indent(2) + '"' + std::string{at[1]} + "\": {\n";
      out += indent(3) + '"' + std::string{at[2]} + "\": ";
    } else {
      out += indent(2) + '"' + std::string{at[1]} + "\": ";
    }
    out += std::visit([](const auto& f) { return rules_format::shown(f); }, field);
    last = at;
    if (at[1] == "global_policy") {
      using policies = encryption_policies;
      map(rules_format::policies_key, d.policies.named, [](const policies::policy& p) {
        return rules_format::quoted(p.name) + ": \"" + std::string{name(p.value)} + '"';
      });
      map(rules_format::assigned_key, d.policies.assigned, [](const policies::assignment& a) {
        return rules_format::quoted(a.organizer) + ": " + rules_format::quoted(a.policy);
      });
    }
    return true;
  });
  close({});
  out += "\n}\n";
  rules_error ignored;
  const auto again = load_rules(out, ignored);
  if (!again || *again != document) return errc::misuse;
  return out;
}

}  // namespace conclave
