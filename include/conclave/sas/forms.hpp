// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// form, short_code: how the code of a verification run is written and read aloud.
#pragma once

#include <conclave/sas/code.hpp>
#include <conclave/sas/emoji.hpp>
#include <conclave/sas/wordlist.hpp>

namespace conclave::inline CONCLAVE_ABI::sas {

enum class form : std::uint8_t { digits_8 = 1, digits_9 = 2, words_3 = 3, emoji_5 = 4, emoji_7 = 5 };

/// form_parameters: `symbols` of `alphabet` each. One run with this form is lost to an interceptor with probability
/// 1 / codes, which is 2^-bits at the most; all the runs that failed before count as well (sas/verification.hpp).
struct form_parameters {
  unsigned symbols;
  std::uint64_t alphabet;
  std::uint64_t codes;         ///< alphabet^symbols
  unsigned bits;               ///< log2(codes), rounded down
  std::size_t material_bytes;  ///< ceil(log2(codes) / 8) + 8: 64 spare bits make every code equally likely
};

/// parameters(form): nothing for a number this version does not know.
[[nodiscard]] constexpr std::optional<form_parameters> parameters(form which) noexcept {
  switch (which) {
    case form::digits_8: return form_parameters{8, 10, 100'000'000, 26, 12};
    case form::digits_9: return form_parameters{9, 10, 1'000'000'000, 29, 12};
    case form::words_3: return form_parameters{3, word_count, std::uint64_t{1} << 33U, 33, 13};
    case form::emoji_5: return form_parameters{5, emoji_count, std::uint64_t{1} << 30U, 30, 12};
    case form::emoji_7: return form_parameters{7, emoji_count, std::uint64_t{1} << 42U, 42, 14};
  }
  return std::nullopt;
}
inline constexpr std::size_t max_material_bytes = 14;

/// reduce(material, codes): the big-endian number `material` modulo `codes`, which is below 2^56.
[[nodiscard]] constexpr std::uint64_t reduce(byte_view material, std::uint64_t codes) noexcept {
  std::uint64_t value = 0;
  for (const std::uint8_t b : material) value = (value << 8U | b) % codes;
  return value;
}

/// short_code: what the contributors of one run compare, in one epoch. A value. It is secret until everybody has
/// revealed, and of no use to anybody afterwards.
class short_code {
 public:
  /// make(form, value, epoch, run_id): misuse where the form is unknown or has no such value.
  [[nodiscard]] static result<short_code> make(sas::form which, std::uint64_t value, std::uint64_t epoch,
                                               const std::array<std::uint8_t, 16>& run_id) noexcept {
    const auto p = parameters(which);
    if (!p || value >= p->codes) return errc::misuse;
    short_code out;
    out.form_ = which;
    out.value_ = value;
    out.epoch_ = epoch;
    out.run_id_ = run_id;
    return out;
  }

  [[nodiscard]] sas::form form() const noexcept { return form_; }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] const std::array<std::uint8_t, 16>& run_id() const noexcept { return run_id_; }
  /// value(): the code as a number, its first symbol being the most significant.
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }
  [[nodiscard]] unsigned strength_bits() const noexcept { return parameters(form_)->bits; }

  /// text(): for the screen: "1234 5678", "123 456 789", "anchor velvet pepper", or emoji.
  [[nodiscard]] std::string text() const {
    if (form_ == sas::form::digits_8) return digits(4);
    if (form_ == sas::form::digits_9) return digits(3);
    return join([this](std::uint64_t symbol) {
      return form_ == sas::form::words_3 ? std::string{word(symbol)} : std::string{emoji_table[symbol].picture};
    });
  }

  /// spoken(language): to read aloud and for screen readers: as text(), but emoji by their names, separated by commas.
  [[nodiscard]] std::string spoken(language in) const {
    if (form_ != sas::form::emoji_5 && form_ != sas::form::emoji_7) return text();
    return join([in](std::uint64_t symbol) { return std::string{emoji_table[symbol].name(in)}; }, ", ");
  }

  /// ==: the same code of the same run in the same epoch.
  friend bool operator==(const short_code&, const short_code&) noexcept = default;

 private:
  /// symbol(i): the i-th from the left.
  [[nodiscard]] std::uint64_t symbol(unsigned i) const noexcept {
    const auto p = *parameters(form_);
    std::uint64_t rest = value_;
    for (unsigned skip = p.symbols - 1 - i; skip > 0; --skip) rest /= p.alphabet;
    return rest % p.alphabet;
  }
  [[nodiscard]] std::string digits(unsigned group) const {
    std::string out;
    for (unsigned i = 0; i < parameters(form_)->symbols; ++i) {
      if (i > 0 && i % group == 0) out += ' ';
      out += static_cast<char>('0' + symbol(i));
    }
    return out;
  }
  template <class Name>
  [[nodiscard]] std::string join(Name&& name, std::string_view between = " ") const {
    std::string out;
    for (unsigned i = 0; i < parameters(form_)->symbols; ++i) {
      if (i > 0) out += between;
      out += name(symbol(i));
    }
    return out;
  }

  sas::form form_ = sas::form::digits_8;
  std::uint64_t value_ = 0;
  std::uint64_t epoch_ = 0;
  std::array<std::uint8_t, 16> run_id_{};
};

}  // namespace conclave::sas
