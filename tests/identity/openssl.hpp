// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What `openssl verify` says of the chains of these tests, and why it may say something else.
#pragma once

#include <conclave/bytes.hpp>

#include <catch2/catch.hpp>

#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace identity_test {

/// The chains that openssl takes and conclave does not, and why.
struct difference {
  std::string_view chain, reason;
};
inline constexpr difference differences[] = {
    {"wrong key", "openssl does not know the leaf node whose key the certificate is for"},
    {"scheme of another curve", "likewise"},
    {"authority as member", "any authority is an end entity to it; to RFC 9420 the two are different things"},
    {"an idle authority as member", "likewise"},
    {"key usage unlimited", "without keyUsage all uses are allowed (RFC 5280); members are asked to state theirs"},
    {"two e-mail addresses", "one of them is enough for a mail client; a roster shows one name for a person"},
    {"no name of that kind", "a subjectAltName of any kind is fine where no name is asked for"},
    {"wildcard", "likewise; as a host name to be reached it would be legal, as a name of somebody it is not"},
    {"odd characters", "likewise"},
    {"a dot behind a host", "it compares texts; a host with a dot behind it is the host that is excluded"},
    {"a dot behind a constraint", "likewise"},
    {"excluded directory, and a name in another alphabet",
     "it knows TeletexString as Latin-1, which it is not everywhere; here it is not compared"},
    {"certificate twice", "it searches a set of certificates for a path; RFC 9420 gives them an order"},
    {"order", "likewise"},
    {"chain too long", "its own bound is 100 certificates"},
    {"names without end", "its own bound is 2^20 comparisons"},
};

[[nodiscard]] inline bool is_difference(std::string_view chain) {
  return std::ranges::any_of(differences, [&](const difference& d) { return d.chain == chain; });
}

/// folder: of its own, gone at the end.
class folder {
 public:
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "conclave-identity-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  /// pem(name, what, items): writes a file of them, and returns its path.
  [[nodiscard]] std::string pem(const std::string& name, const std::string& what,
                                const std::vector<conclave::bytes>& items) const {
    const std::string file = path_ / name;
    std::ofstream out(file);
    for (const auto& item : items)
      out << "-----BEGIN " << what << "-----\n" << base64(item) << "-----END " << what << "-----\n";
    out.close();
    REQUIRE(out);
    return file;
  }
  [[nodiscard]] std::string raw(const std::string& name, conclave::byte_view content) const {
    const std::string file = path_ / name;
    std::ofstream out(file, std::ios::binary);
    out << conclave::as_text(content);
    out.close();
    REQUIRE(out);
    return file;
  }

 private:
  [[nodiscard]] static std::string base64(conclave::byte_view in) {
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0, line = 0; i < in.size(); i += 3) {
      const std::size_t n = std::min<std::size_t>(3, in.size() - i);
      std::uint32_t group = 0;
      for (std::size_t k = 0; k < 3; ++k) group = group << 8U | (k < n ? in[i + k] : 0U);
      for (std::size_t k = 0; k < 4; ++k) out += k <= n ? digits[group >> (18 - 6 * k) & 63U] : '=';
      if (++line % 16 == 0) out += '\n';
    }
    if (out.back() != '\n') out += '\n';
    return out;
  }

  std::filesystem::path path_;
};

struct answer {
  int code = -1;
  std::string text;
};

/// run(command): what it printed. A command that is not there fails the test.
[[nodiscard]] inline answer run(const std::string& command) {
  answer out;
  std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 512> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) out.text += buffer.data();
  const int status = ::pclose(pipe);
  REQUIRE(WIFEXITED(status));
  out.code = WEXITSTATUS(status);
  INFO(out.text);
  REQUIRE(out.code != 127);  // install the command-line program openssl
  return out;
}

}  // namespace identity_test
