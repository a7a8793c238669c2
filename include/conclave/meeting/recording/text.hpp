// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Chat and notes: entries of a recording whose data is text. A recording of nothing else is a sealed notebook.
#pragma once

#include <conclave/identity/certificate_details.hpp>
#include <conclave/meeting/chat.hpp>
#include <conclave/meeting/recording/format.hpp>

namespace conclave::inline CONCLAVE_ABI::recording {

/// text_entry(kind, time, epoch, sender, name, text): a line of chat or a note, to add to a recording. Views into its
/// arguments. Errors: misuse for another kind; malformed for what is not UTF-8.
[[nodiscard]] inline result<entry> text_entry(entry_kind kind, std::uint64_t time, std::uint64_t epoch,
                                              std::uint32_t sender, std::string_view name, std::string_view text) {
  if (kind != entry_kind::chat && kind != entry_kind::note) return errc::misuse;
  if (!conclave::detail::is_utf8(as_bytes(name)) || !conclave::detail::is_utf8(as_bytes(text)))
    return failure{errc::malformed, rules::text};
  return entry{kind, time, epoch, sender, 0, as_bytes(name), as_bytes(text)};
}

/// text_entry(time, message): what was said in a meeting. Views into `message`.
[[nodiscard]] inline result<entry> text_entry(std::uint64_t time, const chat_message& message) {
  const bool note = message.kind == text_kind::note;
  return text_entry(note ? entry_kind::note : entry_kind::chat, time, message.epoch, mls::number(message.sender),
                    message.name, message.text);
}

/// text_of(e): the text of a line of chat or a note. It may hold any character: printable() has escaped what could steer
/// a terminal. Errors: misuse for another kind; malformed for what is not UTF-8.
[[nodiscard]] inline result<std::string_view> text_of(const entry& e) {
  if (e.kind != entry_kind::chat && e.kind != entry_kind::note) return errc::misuse;
  if (!conclave::detail::is_utf8(e.data)) return failure{errc::malformed, rules::text};
  return as_text(e.data);
}

/// printable(text): with everything escaped that is not UTF-8, is a control, or has no width or another direction.
[[nodiscard]] inline std::string printable(byte_view text) { return x509::detail::printable(text); }

}  // namespace conclave::recording
