// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Any bytes as an MLSMessage. The oracle: what decodes is the one encoding of what it says. Written again field by field
/// it gives the input, through the library too, and neither a byte more nor a byte less is accepted as the same message.
#include <support/mls_rewriter.hpp>

#include "support/oracle.hpp"

using namespace conclave;
using conclave_fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const byte_view input{data, size};
  const auto decoded = mls::message::decode(input);
  if (!decoded) return 0;

  bytes rewritten;
  conclave_test::rewriter{writer{rewritten}}(*decoded);
  require(equal(rewritten, input), "the fields say something else than the bytes");
  require(equal(wire::encode(*decoded), input), "encoding does not give the input");

  require(!mls::message::decode(input.first(size - 1)), "a message without its last byte was accepted");
  bytes longer = to_bytes(input);
  longer.push_back(0);
  require(!mls::message::decode(longer), "a message with a byte behind it was accepted");

  if (decoded->format == mls::wire_format::group_info) {
    const auto tree = find(decoded->group_info->extensions, mls::extension_type::ratchet_tree);
    if (tree) (void)wire::decode<wire::list<std::optional<mls::node>>>(*tree);
  }
  return 0;
}
