// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Signing in with a second factor: the first time a QR code is shown and its first code asked for, from then on a code.
// With a store, everything is remembered until the next run; without one, the person signs in a second time at once.
#include "qr/png.hpp"
#include "qr/svg.hpp"
#include "qr/terminal.hpp"
#include "totp/host.hpp"
#include "totp/input.hpp"

#include <conclave/store/memory.hpp>
#include <conclave/store/sqlite.hpp>

#include <CLI/CLI.hpp>

#include <map>

namespace cv = conclave;
namespace otp = conclave::otp;

namespace {

struct options {
  std::string user = "ann@example.com";
  std::string issuer = "conclave";
  std::string store, key, svg, png;
  std::optional<std::int64_t> at;
  otp::algorithm algorithm = otp::algorithm::sha1;
  unsigned digits = 6;
  int period = 30;
  int patience = 120;
  bool uri = false, json = false, again = false, reset = false;
};

class program {
 public:
  explicit program(const options& chosen) : options_{chosen}, input_{std::chrono::seconds{chosen.patience}} {
    if (chosen.at) env_.at = cv::unix_time{std::chrono::seconds{*chosen.at}};
  }

  /// run(): what went wrong, or nothing.
  [[nodiscard]] std::string run() {
    auto bad = open();
    if (!bad.empty()) return bad;
    if (options_.reset)
      if (const auto done = factor_->password_was_reset(env_, options_.user); !done)
        return demo::explain("the new password", done.error());
    for (int times = options_.store.empty() ? 2 : 1; times > 0; --times) {
      bad = sign_in();
      if (!bad.empty() || last_ != otp::stage::signed_in) break;
      if (times > 1) say("Now once more, as on any other day: password (right), then the next code.");
    }
    if (options_.json)
      std::printf("{\"stage\": \"%s\", \"wrong_codes\": %u, \"until\": %lld}\n", otp::text(last_), wrong_codes_,
                  static_cast<long long>(until_));
    return bad;
  }

 private:
  void say(const std::string& what) const {
    if (options_.json) return;
    std::puts(what.c_str());
    std::fflush(stdout);
  }

  [[nodiscard]] std::string open() {
    cv::at_rest_key key(32);
    if (options_.store.empty()) {
      records_ = std::make_unique<cv::store::memory>();
      if (const auto drawn = env_.random(key.writable()); !drawn) return demo::explain("no key", drawn.error());
    } else {
      const std::string path = options_.key.empty() ? options_.store + ".key" : options_.key;
      if (auto bad = demo::load_key(env_, path, key); !bad.empty()) return bad;
      auto opened = cv::store::sqlite::open(options_.store);
      if (!opened) return demo::explain(options_.store, opened.error());
      records_ = *std::move(opened);
    }
    const otp::parameters p{options_.algorithm, static_cast<std::uint8_t>(options_.digits),
                            std::chrono::seconds{options_.period}};
    auto made = otp::second_factor::make(*records_, std::move(key), {otp::organisation_mode::everybody}, p);
    if (!made) return demo::explain("second factor", made.error());
    factor_.emplace(*std::move(made));
    return {};
  }

  /// sign_in(): as far as it goes. The password counts as right: that is the host's business.
  [[nodiscard]] std::string sign_in() {
    std::optional<otp::accepted> code;
    for (;;) {
      const auto next = factor_->next({options_.user}, {false, true, code ? &*code : nullptr}, env_.wall());
      if (!next) return demo::explain("sign-in", next.error());
      last_ = next->stage;
      until_ = next->until.time_since_epoch().count();
      if (last_ == otp::stage::signed_in) {
        wrong_codes_ = code->failures();
        if (wrong_codes_ > 0) say("Wrong codes since the last right one: " + std::to_string(wrong_codes_));
        say(options_.user + " is signed in.");
        return {};
      }
      if (last_ == otp::stage::throttled)
        return "too many wrong codes: none is looked at for " + std::to_string((next->until - env_.wall()).count()) +
               " seconds";
      const bool enrols = last_ == otp::stage::enrol;
      if (enrols)
        if (auto bad = enrol(next->scanned); !bad.empty()) return bad;
      say(enrols ? "Type the code that it shows:" : "Type the code of your authenticator:");
      const auto typed = input_.line();
      if (!typed) {
        if (refused_.empty()) say("Nothing was typed.");
        return refused_;
      }
      if (auto bad = attempt(enrols, *typed, code); !bad.empty()) return bad;
    }
  }

  /// attempt(enrols, typed, out): the answer to a code; what is no answer ends the sign-in.
  [[nodiscard]] std::string attempt(bool enrols, const std::string& typed, std::optional<otp::accepted>& out) {
    auto done = enrols ? factor_->confirm(env_, options_.user, typed) : factor_->check(env_, options_.user, typed);
    if (done) {
      out.emplace(*std::move(done));
      refused_.clear();
      if (enrols) say("The second factor is active.");
      return {};
    }
    switch (done.error().code()) {
      case cv::errc::unauthentic: refused_ = "That code is wrong."; break;
      case cv::errc::replayed: refused_ = "That code was used already: wait for the next one."; break;
      case cv::errc::malformed: refused_ = "That is no code."; break;
      case cv::errc::early: return {};  // what comes next says until when
      case cv::errc::refused: refused_ = "That QR code has expired."; break;
      default: return demo::explain("sign-in", done.error());
    }
    say(refused_);
    return {};
  }

  /// enrol(scanned): shows a QR code, unless one was shown that still counts.
  [[nodiscard]] std::string enrol(bool scanned) {
    if (scanned && !std::exchange(options_.again, false)) {
      if (refused_.empty()) say("The QR code that was shown still counts.");
      return {};
    }
    options_.again = false;
    const auto offer = factor_->begin(env_, {options_.user});
    if (!offer) return demo::explain("enrolment", offer.error());
    const auto uri = offer->uri({options_.issuer, options_.user});
    if (!uri) return demo::explain("enrolment", uri.error());
    const auto code = demo::qr::code::of(*uri);
    if (!code) return demo::explain("QR code", code.error());
    say(options_.user + " needs a second factor. Scan this with an authenticator within " +
        std::to_string((offer->until - env_.wall()).count() / 60) + " minutes:\n");
    say(demo::qr::terminal(*code, ::isatty(STDOUT_FILENO) != 0));
    if (options_.uri) std::printf("%s\n", std::string{cv::as_text(*uri)}.c_str());
    std::fflush(stdout);
    if (!options_.svg.empty())
      if (auto bad = demo::write_private(options_.svg, cv::as_bytes(demo::qr::svg(*code)), O_TRUNC); !bad.empty())
        return bad;
    if (options_.png.empty()) return {};
    const auto picture = demo::qr::png(*code, 6);
    if (!picture) return demo::explain("PNG", picture.error());
    return demo::write_private(options_.png, *picture, O_TRUNC);
  }

  options options_;
  demo::stopped_environment env_;
  demo::input input_;
  std::unique_ptr<otp::store> records_;
  std::optional<otp::second_factor> factor_;
  otp::stage last_ = otp::stage::password;
  std::uint32_t wrong_codes_ = 0;
  std::int64_t until_ = 0;
  std::string refused_;
};

}  // namespace

int main(int argc, char** argv) {
  options chosen;
  const std::map<std::string, otp::algorithm> algorithms{
      {"sha1", otp::algorithm::sha1}, {"sha256", otp::algorithm::sha256}, {"sha512", otp::algorithm::sha512}};
  CLI::App app{"conclave: signing in with a second factor"};
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--user", chosen.user, "who signs in, by an e-mail address");
  app.add_option("--issuer", chosen.issuer, "what the authenticator shows above the code");
  app.add_option("--store", chosen.store, "a SQLite file that remembers everything until the next run");
  app.add_option("--key", chosen.key, "the file of the key that seals what is stored; made where there is none");
  app.add_option("--svg", chosen.svg, "write the QR code there too");
  app.add_option("--png", chosen.png, "write the QR code there too");
  app.add_option("--at", chosen.at, "another time than now, in seconds since 1970; it stands still");
  app.add_option("--algorithm", chosen.algorithm, "sha1, sha256 or sha512, for who enrols")
      ->transform(CLI::CheckedTransformer(algorithms));
  app.add_option("--digits", chosen.digits, "6 or 8, for who enrols")->check(CLI::IsMember({6, 8}));
  app.add_option("--period", chosen.period, "seconds that a code lasts, for who enrols")->check(CLI::Range(15, 60));
  app.add_option("--patience", chosen.patience, "seconds to wait for a code")->check(CLI::Range(1, 3600));
  app.add_flag("--uri", chosen.uri, "print the otpauth URI, which holds the secret");
  app.add_flag("--again", chosen.again, "show another QR code in place of the one before");
  app.add_flag("--reset", chosen.reset, "the user has lost the authenticator and has a new password");
  app.add_flag("--json", chosen.json, "only the outcome, as JSON");
  CLI11_PARSE(app, argc, argv);

  program sign_in(chosen);
  if (const std::string bad = sign_in.run(); !bad.empty()) {
    std::fprintf(stderr, "totp: %s\n", bad.c_str());
    return 1;
  }
  return 0;
}
