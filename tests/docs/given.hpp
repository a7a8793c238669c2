// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What the pages take for granted: the names that their blocks of code use without declaring them. They have no
/// definitions: such blocks are compiled and never run.
#pragma once

#include <conclave/conclave.hpp>
#include <conclave/mls/observer.hpp>

#include <iostream>
#include <thread>

namespace given {

extern conclave::environment& env;
extern conclave::identity& me;
extern conclave::meeting& room;
extern const conclave::bytes entrance;  // the newest of the meeting

/// delivery_service: the way to it.
struct delivery_service {
  bool commit(conclave::byte_view message);  ///< whether it was the first of its epoch
};
extern delivery_service net;

// a key, and what was issued for it; the anchors, and news of revocation: DER
extern conclave::signature_key key;
extern const std::vector<conclave::bytes> chain;
extern const conclave::bytes company_root, public_root, crl;

// somebody who knocks, and somebody who is to go
extern const conclave::bytes key_package;
extern const conclave::mls::leaf_index leaf;
extern const conclave::steady_time now;

extern const std::vector<std::uint32_t> others;  // leaf indexes

extern const std::string text;  // of a file of rules

// a snapshot of a meeting, its key, and the number of the newest one
extern const conclave::mls::snapshot_key disk_key;
extern const conclave::bytes snapshot;
extern const std::uint64_t newest;

}  // namespace given
