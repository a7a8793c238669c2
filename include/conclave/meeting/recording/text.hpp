// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Chat and notes: entries of a recording whose data is text. A recording of nothing else is a sealed notebook.
#pragma once

#include <conclave/identity/certificate_details.hpp>
#include <conclave/meeting/recording/format.hpp>

namespace conclave::inline CONCLAVE_ABI::recording {

/// is_text(data): whether it is UTF-8 (RFC 3629): the shortest forms, no surrogates, nothing cut short.
[[nodiscard]] inline bool is_text(byte_view data) noexcept {
  while (!data.empty()) {
    const std::size_t n = x509::detail::code_point(data).second;
    if (n == 0) return false;
    data = data.subspan(n);
  }
  return true;
}

/// text_entry(kind, time, epoch, sender, name, text): a line of chat or a note, to add to a recording. Views into its
/// arguments. Errors: misuse for another kind; malformed for what is not UTF-8.
[[nodiscard]] inline result<entry> text_entry(entry_kind kind, std::uint64_t time, std::uint64_t epoch,
                                              std::uint32_t sender, std::string_view name, std::string_view text) {
  if (kind != entry_kind::chat && kind != entry_kind::note) return errc::misuse;
  if (!is_text(as_bytes(name)) || !is_text(as_bytes(text))) return failure{errc::malformed, rules::text};
  return entry{kind, time, epoch, sender, 0, as_bytes(name), as_bytes(text)};
}

/// text_of(e): the text of a line of chat or a note. It may hold any character: printable() has escaped what could steer
/// a terminal. Errors: misuse for another kind; malformed for what is not UTF-8.
[[nodiscard]] inline result<std::string_view> text_of(const entry& e) {
  if (e.kind != entry_kind::chat && e.kind != entry_kind::note) return errc::misuse;
  if (!is_text(e.data)) return failure{errc::malformed, rules::text};
  return as_text(e.data);
}

/// printable(text): with everything escaped that is not UTF-8, is a control, or has no width or another direction.
[[nodiscard]] inline std::string printable(byte_view text) { return x509::detail::printable(text); }

}  // namespace conclave::recording
