// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Declarations alone, for headers of a host that only pass these types on by reference or pointer. It includes nothing
/// of the standard library but cstdint; whoever creates, calls or copies one of them includes its own header.
#pragma once

#include <conclave/config.hpp>

#include <cstdint>

namespace conclave::inline CONCLAVE_ABI {

enum class errc : std::uint8_t;
struct rule;
class failure;
template <class T>
class result;
using status = result<void>;

class environment;
class system_environment;
class psk_source;
class identity;
class identity_validator;
struct presented_identity;
enum class credential_type : std::uint16_t;
enum class identity_state : std::uint8_t;

// the protocols take any crypto_provider; the names without basic_ are those for default_provider (and lobby, which
// enumerators of these headers are called too)
struct default_provider;
template <class P>
class basic_meeting;
template <class P>
class basic_knock;
template <class P>
class basic_lobby;
template <class P>
class basic_media_sender;
template <class P>
class basic_media_receiver;
using meeting = basic_meeting<default_provider>;
using knock = basic_knock<default_provider>;

struct admission_decision;
struct admission_rules;
struct chat_message;
class chat_history;
struct client_claims;
class early_frames;
struct encryption_decision;
struct encryption_policies;
struct feature_rules;
class gathering;
struct meeting_event;
struct meeting_facts;
struct meeting_options;
struct meeting_parameters;
struct meeting_rules;
struct meeting_security;
struct meeting_state;
struct participant;
struct person;
struct visitor;
struct visitor_facts;
enum class door : std::uint8_t;
enum class feature : std::uint8_t;
enum class platform : std::uint8_t;
enum class preset : std::uint8_t;
enum class role : std::uint8_t;
enum class security_level : std::uint8_t;

namespace mls {
template <class P>
class basic_group;
template <class P>
class basic_observer;
using group = basic_group<default_provider>;
using observer = basic_observer<default_provider>;
struct message;
enum class cipher_suite : std::uint16_t;
enum class leaf_index : std::uint32_t;
}  // namespace mls

namespace sframe {
struct header;
struct opened;
enum class cipher_suite : std::uint16_t;
}  // namespace sframe

namespace sas {
template <class P>
class basic_verification;
using verification = basic_verification<default_provider>;
class security_code;
class long_security_code;
class machine_code;
class short_code;
class fingerprint;
struct outcome;
enum class form : std::uint8_t;
enum class language : std::uint8_t;
}  // namespace sas

namespace x509 {
class trust;
struct settings;
struct trust_anchor;
struct verdict;
}  // namespace x509

namespace otp {
template <class L, class P>
class basic_second_factor;
struct botan_hotp;
using second_factor = basic_second_factor<botan_hotp, default_provider>;
class accepted;
class store;
class version_floor;
struct evidence;
struct next_step;
struct offer;
struct parameters;
struct policy;
}  // namespace otp

namespace recording {
template <class P>
class basic_recorder;
template <class P>
class basic_player;
using recorder = basic_recorder<default_provider>;
using player = basic_player<default_provider>;
class sink;
class source;
struct entry;
struct key_slip;
}  // namespace recording

}  // namespace conclave
