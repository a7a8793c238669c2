// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "mls.hpp"

#include <conclave/mls/transcript.hpp>

namespace conclave_vectors::mls_kinds {

void transcript_hashes(const json& c) {
  const suite s = suite_of(c);
  const auto content = succeeds(authenticated_content::decode(to_secret_bytes(hex(c, "authenticated_content"))),
                                "authenticated_content");
  expect(content.content.body.type == content_type::commit, "authenticated_content is not a commit");

  const bytes before = hex(c, "interim_transcript_hash_before");
  const digest confirmed =
      confirmed_transcript_hash(s, before, content.format(), content.encoded_content(), content.auth.signature);
  expect_equal(confirmed, hex(c, "confirmed_transcript_hash_after"), "confirmed_transcript_hash_after");
  const digest tag = s.mac(hex(c, "confirmation_key"), {confirmed.view()});
  expect_equal(content.auth.confirmation_tag, tag.view(), "confirmation_tag");
  const digest interim = interim_transcript_hash(s, confirmed.view(), content.auth.confirmation_tag);
  expect_equal(interim, hex(c, "interim_transcript_hash_after"), "interim_transcript_hash_after");
}

}  // namespace conclave_vectors::mls_kinds
