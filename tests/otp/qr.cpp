// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The QR code as cameras see it: read back by zbarimg from each form it is drawn in, and used by oathtool.
#include "support.hpp"

#include <qr/png.hpp>
#include <qr/svg.hpp>
#include <qr/terminal.hpp>

using namespace conclave_test;

namespace {

void write(const std::string& path, std::string_view content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
  REQUIRE(out.flush());
}

std::string scanned(const std::string& path) {
  std::string out = tool("zbarimg --nodbus --quiet --raw -Sdisable -Sqrcode.enable '" + path + "'");
  REQUIRE(out.ends_with('\n'));
  out.pop_back();
  return out;
}

/// photographed(text): half-blocks as a picture (PGM), 8 pixels to a square.
std::string photographed(const std::string& text) {
  constexpr std::size_t scale = 8;
  std::vector<std::string> rows;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    std::string upper, lower;
    for (std::size_t i = 0; i < line.size();) {
      const std::string_view rest = std::string_view{line}.substr(i);
      const bool both = rest.starts_with("█"), top = rest.starts_with("▀"), bottom = rest.starts_with("▄");
      REQUIRE((both || top || bottom || rest.starts_with(' ')));
      upper += both || top ? '\x00' : '\xff';
      lower += both || bottom ? '\x00' : '\xff';
      i += both || top || bottom ? 3 : 1;
    }
    rows.push_back(upper);
    rows.push_back(lower);
  }
  std::string pixels;
  for (const std::string& row : rows) {
    std::string wide;
    for (const char c : row) wide += std::string(scale, c);
    for (std::size_t i = 0; i < scale; ++i) pixels += wide;
  }
  return "P5\n" + std::to_string(rows.front().size() * scale) + ' ' + std::to_string(rows.size() * scale) + "\n255\n" +
         pixels;
}

}  // namespace

TEST_CASE("T2: the QR code is read by another program from PNG, SVG and the terminal, for every kind of secret") {
  const folder here;
  deterministic_environment env(2);
  for (const otp::algorithm a : {otp::algorithm::sha1, otp::algorithm::sha256, otp::algorithm::sha512}) {
    const auto k = otp::generate(env, a);
    REQUIRE(k);
    const auto uri = otp::make_uri({"conclave – Zürich", "ann+tag@example.com"}, *k, {a, 8});
    REQUIRE(uri);
    const auto code = demo::qr::code::of(*uri);
    REQUIRE(code);

    for (const std::size_t scale : {std::size_t{2}, std::size_t{5}}) {
      const auto picture = demo::qr::png(*code, scale);
      REQUIRE(picture);
      write(here / "code.png", as_text(*picture));
      CHECK(scanned(here / "code.png") == as_text(*uri));
    }
    write(here / "code.svg", demo::qr::svg(*code));
    (void)tool("rsvg-convert --width 800 --output '" + (here / "svg.png") + "' '" + (here / "code.svg") + "'");
    CHECK(scanned(here / "svg.png") == as_text(*uri));

    write(here / "code.pgm", photographed(demo::qr::terminal(*code, false)));
    CHECK(scanned(here / "code.pgm") == as_text(*uri));
  }
}

TEST_CASE("T2: a terminal is asked for black on white, line by line") {
  const auto code = demo::qr::code::of(as_bytes("otpauth"));
  REQUIRE(code);
  std::string coloured = demo::qr::terminal(*code, true);
  for (const std::string& escape : {std::string{"\x1b[30;107m"}, std::string{"\x1b[0m"}}) {
    std::size_t lines = 0;
    for (std::size_t at = 0; (at = coloured.find(escape)) != std::string::npos; ++lines)
      coloured.erase(at, escape.size());
    CHECK(lines == (code->size() + 1) / 2);
  }
  CHECK(coloured == demo::qr::terminal(*code, false));
}

TEST_CASE("T2: what is too long for a QR code is refused, the longest URI is not") {
  CHECK(demo::qr::code::of(bytes(limits::otp_uri_bytes, 'x')).has_value());
  CHECK(demo::qr::code::of(bytes(3000, 'x')).error() == errc::over_limit);
}

TEST_CASE("T2: who scans the QR code with another program's camera and computes codes with a third one is enrolled") {
  const folder here;
  for (const otp::parameters& p : {otp::parameters{}, otp::parameters{otp::algorithm::sha256, 8, 60s},
                                   otp::parameters{otp::algorithm::sha512, 6, 30s}}) {
    office of({otp::organisation_mode::everybody}, p);
    const auto offer = of.factor.begin(of.env, {"ann"});
    REQUIRE(offer);
    const auto uri = offer->uri({"conclave", "ann@example.com"});
    REQUIRE(uri);
    const auto picture = demo::qr::png(*demo::qr::code::of(*uri), 4);
    REQUIRE(picture);
    write(here / "code.png", as_text(*picture));

    const auto phone = otp::read_uri(scanned(here / "code.png"));
    REQUIRE(phone);
    CHECK(phone->label == otp::label{"conclave", "ann@example.com"});
    CHECK(phone->parameters == p);
    const std::string secret = to_hex(phone->secret.reveal());

    CHECK(of.factor.confirm(of.env, "ann", oathtool(secret, phone->parameters, of.env.wall())));
    of.env.advance(p.period);
    CHECK(of.factor.check(of.env, "ann", oathtool(secret, phone->parameters, of.env.wall())));
  }
}
