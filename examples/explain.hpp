// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// explain: a failure as a line for a person.
#pragma once

#include <conclave/result.hpp>

#include <string>

namespace demo {

/// explain(what, why): "what: message (source)".
[[nodiscard]] inline std::string explain(const std::string& what, const conclave::failure& why) {
  std::string out = what + ": " + why.message();
  if (why.broken_rule() != nullptr) out += std::string(" (") + why.broken_rule()->source + ')';
  return out;
}

}  // namespace demo
