// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <conclave/conclave.hpp>
#include <cstdio>

namespace cv = conclave;

cv::status talk(cv::environment& env) {
  CONCLAVE_TRY(auto alice, cv::identity::generate(env, "alice"));
  CONCLAVE_TRY(auto bob, cv::identity::generate(env, "bob"));
  CONCLAVE_TRY(auto room, cv::meeting::create(env, alice, "standup"));
  CONCLAVE_TRY(auto knock, cv::knock::create(env, bob));    // knock.key_package() travels to a host
  CONCLAVE_TRY(auto add, room.admit(knock.key_package()));  // nothing has changed yet
  CONCLAVE_TRY(auto there, cv::meeting::join(std::move(knock), add.welcome()));
  CONCLAVE_CHECK(room.apply(std::move(add)));              // the server took add.commit(): a new epoch
  CONCLAVE_TRY(auto mic, room.open_sender(/*stream=*/0));  // owns its counter
  CONCLAVE_TRY(auto ear, there.open_receiver());           // follows the epochs, on any thread
  std::array<std::uint8_t, cv::sealed_size(5)> packet, heard;
  CONCLAVE_TRY(auto sealed, mic.seal(cv::as_bytes("hello"), {}, packet));
  CONCLAVE_TRY(auto got, ear.open(sealed, {}, heard));  // from a member of got.epoch; got.sender is its claim
  std::printf("%.*s\nread aloud: %s\n", int(got.bytes.size()), cv::as_text(got.bytes).data(),
              there.code().digits().c_str());
  return {};
}

int main() {
  cv::system_environment env;
  return talk(env) ? 0 : 1;
}
