// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Structures of the presentation language as plain structs. A struct lists its fields once, in wire order:
///
///     struct extension {
///       extension_type type;
///       byte_view data;  // opaque<V>
///       static constexpr auto fields(auto& self) { return std::tie(self.type, self.data); }
///     };
///
/// and can then be read and written. Numbers and enums are big-endian, byte_view is opaque<V>, std::array of bytes is
/// opaque[N], std::optional is optional<T>, list<T> is T<V>, located<T> also remembers its own encoding. A struct that
/// selects by type defines `static result<T> read(reader&)` and `void write(auto& writer) const` instead.
///
/// Decoded structs are views: they point into the input, allocate nothing, and live as long as the input does.
#pragma once

#include <conclave/codec/reader.hpp>
#include <conclave/codec/writer.hpp>

#include <array>
#include <iterator>
#include <optional>
#include <tuple>

namespace conclave::inline CONCLAVE_ABI {

namespace rules {
inline constexpr rule presence_octet{"the presence octet of an optional value is neither 0 nor 1", "RFC 9420 2.1.1"};
}  // namespace rules

namespace wire {

template <class T>
concept has_fields = requires(T& t) { T::fields(t); };
template <class T>
concept number_like = std::unsigned_integral<T> || std::is_enum_v<T>;

template <class T>
[[nodiscard]] constexpr result<T> read(reader& in);
template <class W, class T>
constexpr void write(W& out, const T& value);

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_byte_array : std::false_type {};
template <std::size_t N>
struct is_byte_array<std::array<std::uint8_t, N>> : std::true_type {};

/// list<T>: a vector T<V> that has been checked and stays encoded; iterating decodes each element again, by value.
template <class T>
class list {
 public:
  class iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() noexcept : rest_{byte_view{}} {}
    explicit iterator(byte_view rest) noexcept : rest_{rest} {}

    [[nodiscard]] T operator*() const {
      reader copy = rest_;
      return *wire::read<T>(copy);
    }
    iterator& operator++() {
      (void)*wire::read<T>(rest_);
      return *this;
    }
    iterator operator++(int) {
      iterator old = *this;
      ++*this;
      return old;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept {
      return a.rest_.rest().size() == b.rest_.rest().size();
    }

   private:
    reader rest_;
  };

  constexpr list() noexcept = default;

  /// of(items, count): a list over elements that this side encoded itself.
  [[nodiscard]] static constexpr list of(byte_view items, std::size_t count) noexcept {
    list out;
    out.items_ = items;
    out.size_ = count;
    return out;
  }

  /// check(items): a list over received bytes; fails as the first bad element does. over_limit for more than T::most,
  /// where T says so.
  [[nodiscard]] static constexpr result<list> check(byte_view items) {
    list out;
    out.items_ = items;
    for (reader in{items}; !in.empty(); ++out.size_) {
      if constexpr (requires { T::most; })
        if (out.size_ == T::most) return errc::over_limit;
      if (auto element = wire::read<T>(in); !element) return element.error();
    }
    return out;
  }

  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] iterator begin() const noexcept { return iterator{items_}; }
  [[nodiscard]] iterator end() const noexcept { return iterator{}; }
  /// encoded(): the elements as bytes, without the length header.
  [[nodiscard]] constexpr byte_view encoded() const noexcept { return items_; }

 private:
  byte_view items_;
  std::size_t size_ = 0;
};

template <class T>
struct is_list : std::false_type {};
template <class T>
struct is_list<list<T>> : std::true_type {};

/// located<T>: a decoded value together with the bytes it came from, which are what signatures and hashes cover.
template <class T>
struct located {
  T value;
  byte_view encoded;

  [[nodiscard]] static constexpr result<located> read(reader& in) {
    const byte_view before = in.rest();
    CONCLAVE_TRY(auto value, wire::read<T>(in));
    return located{std::move(value), before.first(before.size() - in.rest().size())};
  }
  constexpr void write(auto& out) const { out.raw(encoded); }
  [[nodiscard]] constexpr const T* operator->() const noexcept { return &value; }
};

/// read<T>(in): one T from the front of `in`. Errors: malformed, or what T's own reading says.
template <class T>
constexpr result<T> read(reader& in) {
  if constexpr (std::is_enum_v<T>) {
    CONCLAVE_TRY(const auto number, in.template number<std::underlying_type_t<T>>());
    return static_cast<T>(number);
  } else if constexpr (std::unsigned_integral<T>) {
    return in.template number<T>();
  } else if constexpr (std::is_same_v<T, byte_view>) {
    return in.opaque();
  } else if constexpr (is_byte_array<T>::value) {
    T out;
    CONCLAVE_TRY(const auto raw, in.take(out.size()));
    std::ranges::copy(raw, out.begin());
    return out;
  } else if constexpr (is_optional<T>::value) {
    CONCLAVE_TRY(const auto present, in.template number<std::uint8_t>());
    if (present > 1) return failure{errc::malformed, rules::presence_octet};
    if (present == 0) return T{};
    CONCLAVE_TRY(auto value, wire::read<typename T::value_type>(in));
    return T{std::move(value)};
  } else if constexpr (is_list<T>::value) {
    CONCLAVE_TRY(const auto items, in.opaque());
    return T::check(items);
  } else if constexpr (has_fields<T>) {
    T out{};
    status failed;
    const auto field = [&]<class F>(F& f) {
      auto value = wire::read<F>(in);
      if (!value) {
        failed = value.error();
        return false;
      }
      f = *std::move(value);
      return true;
    };
    std::apply([&](auto&... f) { return (field(f) && ...); }, T::fields(out));
    if (!failed) return failed.error();
    return out;
  } else {
    return T::read(in);
  }
}

/// write(out, value): appends the encoding of `value`.
template <class W, class T>
constexpr void write(W& out, const T& value) {
  if constexpr (std::is_enum_v<T>) {
    out.number(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::unsigned_integral<T>) {
    out.number(value);
  } else if constexpr (std::is_same_v<T, byte_view>) {
    out.opaque(value);
  } else if constexpr (is_byte_array<T>::value) {
    out.raw(value);
  } else if constexpr (is_optional<T>::value) {
    out.number(static_cast<std::uint8_t>(value.has_value()));
    if (value) wire::write(out, *value);
  } else if constexpr (is_list<T>::value) {
    out.opaque(value.encoded());
  } else if constexpr (has_fields<T>) {
    std::apply([&](const auto&... f) { (wire::write(out, f), ...); }, T::fields(value));
  } else {
    value.write(out);
  }
}

/// decode<T>(input): exactly one T and nothing after it.
template <class T>
[[nodiscard]] constexpr result<T> decode(byte_view input) {
  reader in{input};
  CONCLAVE_TRY(auto value, read<T>(in));
  CONCLAVE_CHECK(in.finish());
  return value;
}

/// encode(value): its encoding, in new memory; encode_secret wipes that memory when it is released.
template <class T>
[[nodiscard]] bytes encode(const T& value) {
  bytes out;
  out.reserve(128);  // most structures fit at once, and GCC 12 warns falsely where it follows an insertion into nothing
  writer w{out};
  write(w, value);
  return out;
}
template <class T>
[[nodiscard]] secret_bytes encode_secret(const T& value) {
  secret_bytes out;
  secret_writer w{out};
  write(w, value);
  return out;
}

/// encode_items(range): the elements one after the other, the body of a list<T>.
template <class Range>
[[nodiscard]] bytes encode_items(const Range& range) {
  bytes out;
  writer w{out};
  for (const auto& item : range) write(w, item);
  return out;
}

}  // namespace wire
}  // namespace conclave
