// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Checks of one primitive against one answer, in every provider. Each says how many providers served it.
#pragma once

#include "check.hpp"
#include "support/providers.hpp"

namespace conclave_vectors {

/// in_every_provider(work): work<P>() throws a mismatch, or says whether P serves what is checked. A mismatch names P.
template <class F>
int in_every_provider(F&& work) {
  return conclave_test::for_each_provider([&]<class P>(const char* name) -> bool {
    try {
      expect(P::ready().has_value(), "not ready");
      return work.template operator()<P>();
    } catch (const std::exception& e) {
      throw mismatch(std::string(name) + ": " + e.what());
    }
  });
}

/// reason_unserved(id): why a case that needs the algorithm is left out; empty where it is not.
template <class Id>
std::string reason_unserved(Id id) {
  return default_provider::ready() && default_provider::supports(id) ? "" : "no library of this build serves it";
}

struct aead_answer {
  aead_id aead;
  bytes key, nonce, aad, plaintext, sealed;
};

int hash_gives(hash_id hash, byte_view message, byte_view digest);
int hmac_gives(hash_id hash, byte_view key, byte_view message, byte_view mac);  ///< `mac` may be truncated
int hmac_differs(hash_id hash, byte_view key, byte_view message, byte_view mac);
int hkdf_gives(hash_id hash, byte_view salt, byte_view ikm, byte_view info, byte_view okm);
int aead_gives(const aead_answer& a);
int aead_refuses(const aead_answer& a, errc why);  ///< opening; the output is zeroed
int xchacha_gives(const aead_answer& a);           ///< XChaCha20-Poly1305, whatever a.aead says
int xchacha_refuses(const aead_answer& a, errc why);
int dh_gives(kem_id kem, byte_view sk, byte_view pk, byte_view shared);
int dh_refuses(kem_id kem, byte_view sk, byte_view pk);  ///< malformed; the output is zeroed
int verify_says(bool good, signature_scheme scheme, byte_view pk, byte_view message, byte_view signature);

}  // namespace conclave_vectors
