// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// Every bound on a number that a peer chooses, and every constant of policy, each with its reason.
#pragma once

#include <conclave/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace conclave::inline CONCLAVE_ABI::limits {

/// Leaves in one tree: ten times the largest crowd this library is measured with. Indexes stay far from 2^32.
inline constexpr std::uint32_t leaves = 1U << 20U;

/// Bytes of one MLS message: a tree of 2^17 members with X.509 chains fits; what does not is an attack or a mistake.
inline constexpr std::size_t message_bytes = std::size_t{1} << 28U;

/// Bytes of one credential: a chain of a few certificates.
inline constexpr std::size_t credential_bytes = 16384;

/// Bytes of the extensions of one leaf node, and of one key package beside it: every member holds them, and a GroupInfo
/// carries those of all.
inline constexpr std::size_t leaf_extension_bytes = 4096;

/// Bytes of the extensions of a GroupContext: what a meeting says of itself, and a few external senders with their
/// certificates. Every message is signed and tagged over all of it, and who asks from outside is looked up in it.
inline constexpr std::size_t group_extension_bytes = std::size_t{1} << 18U;

/// Extensions in one list, and entries in one vector of a Capabilities: a dozen are registered.
inline constexpr std::size_t extensions = 64;
inline constexpr std::size_t capabilities = 256;

/// Proposals waiting for a commit, per group: a mass leave of a large meeting, without letting one member fill memory.
inline constexpr std::size_t pending_proposals = 16384;
inline constexpr std::size_t pending_proposal_bytes = std::size_t{1} << 26U;

/// Proposals in one commit, Adds by value apart: what takes a kilobyte here may take four bytes on the wire. As many as can
/// wait, and as many of the committer's own.
inline constexpr std::size_t commit_proposals = 2 * pending_proposals;

/// Lists of proposals that are tried until one makes a valid commit: enough to find two bad ones among the most there can
/// be, and few enough that a flood of bad ones costs its sender more than the committer.
inline constexpr std::size_t commit_attempts = 32;

/// Pre-shared keys in one commit or Welcome: each costs a key-schedule step before anything is authenticated.
inline constexpr std::size_t preshared_keys = 64;

/// Generations a sender's ratchet is moved forward for one message. Each costs about a microsecond, and the index is
/// read before the message is authenticated (RFC 9420 15.3).
inline constexpr std::uint32_t ratchet_forward = 1024;

/// Message keys kept per ratchet for messages that arrive out of order.
inline constexpr std::size_t ratchet_kept_keys = 256;

/// Messages of each kind a member may send between two snapshots. A group restored from one skips as many generations,
/// which others must be willing to catch up with: less than ratchet_forward, several times over.
inline constexpr std::uint32_t snapshot_reserve = 256;

/// Epochs kept for late messages: three seconds of a meeting that only renews its keys, and less than one while people
/// come and go. The delivery service orders messages, so few are late, and an old epoch is a loss of forward secrecy.
inline constexpr std::size_t past_epochs = 3;

/// Lifetime of a key package, not_after minus not_before (RFC 9420 7.2 asks for a maximum): 90 days and an hour of
/// slack.
inline constexpr std::chrono::seconds key_package_lifetime = std::chrono::hours{24 * 90 + 1};

/// Messages or frames sealed under one AES-GCM, AES-CTR or ChaCha20-Poly1305 key (RFC 9420 15.2), and blocks of 16 bytes
/// in all of them together, each frame itself counting as one more: up to there an attacker's advantage, blocks^2 / 2^129,
/// stays at 2^-57, as in TLS 1.3 (RFC 8446 5.5). It is a terabyte: two days of video at 50 Mbit/s.
inline constexpr std::uint64_t frames_per_key = std::uint64_t{1} << 32U;
inline constexpr std::uint64_t blocks_per_key = std::uint64_t{1} << 36U;

/// Wrong tags under one SFrame key after which it opens nothing more, by the bytes of its tags (RFC 9605 7.5). Each
/// guess at a tag of n bytes succeeds with 2^-8n, so up to here one succeeds at all with 2^-40 for 8 and 10 bytes and
/// with 2^-22 for 4: these are few on purpose, who wants more room takes longer tags. Whoever can inject that many frames
/// silences a speaker until the next epoch, which a relay could always do by dropping them. 16 bytes: RFC 9001 6.6.
[[nodiscard]] constexpr std::uint64_t forgeries_per_key(std::size_t tag_size) noexcept {
  if (tag_size < 8) return std::uint64_t{1} << 10U;
  if (tag_size < 10) return std::uint64_t{1} << 24U;
  if (tag_size < 16) return std::uint64_t{1} << 40U;
  return std::uint64_t{1} << 52U;
}

/// Bytes of one media frame: key frames of 8K video are a few MiB.
inline constexpr std::size_t frame_bytes = std::size_t{1} << 24U;

/// Bytes of the metadata that is authenticated with a frame: it passes through a buffer on the stack, and it has to
/// travel beside every frame.
inline constexpr std::size_t frame_metadata_bytes = 1024;

/// Replay window of one SFrame key, in counters. Video packets of several layers arrive a few hundred out of order.
inline constexpr std::size_t replay_window = 1024;

/// E of RFC 9605 5.2: bits of the epoch in a key id. 2^E epochs apart an id repeats, so fewer than that may be open.
inline constexpr unsigned sframe_epoch_bits = 8;
inline constexpr unsigned sframe_epoch_bits_least = 7;
inline constexpr unsigned sframe_epoch_bits_most = 16;

/// Epochs whose frames still open, and for how long after the next epoch began.
inline constexpr std::size_t sframe_open_epochs = 64;
inline constexpr std::chrono::milliseconds sframe_overlap{2000};

/// Epochs ahead of the newest one whose frames are `early` and worth keeping: as many as gathered commits make during an
/// overlap, so that a receiver may be as far behind the others as they may be behind it.
inline constexpr std::size_t sframe_early_epochs = 8;

/// How long frames of the old epoch open after a member was removed: until then that member could still speak.
inline constexpr std::chrono::milliseconds sframe_overlap_after_remove{500};

/// Frames that wait for the commit they overtook, per receiver: for how long, in bytes, and how many: two seconds of
/// 30 Mbit/s, a wall of pictures and all voices. Nothing of them is authentic yet, so they are few and do not stay.
inline constexpr std::chrono::milliseconds early_age{2000};
inline constexpr std::size_t early_bytes = std::size_t{1} << 23U;
inline constexpr std::size_t early_frames = 4096;

/// Changes of a meeting are gathered into one commit per slot, four a second: an epoch lives long enough for everybody
/// to follow, and a removal does not wait noticeably. Of several members who gather, each waits for one turn longer than
/// the one before it: long enough to see that one's commit on most networks.
inline constexpr std::chrono::milliseconds commit_slot{250};
inline constexpr std::chrono::milliseconds commit_turn{250};

/// Members that one gathered commit adds: at four commits a second a crowd of 10,000 is in after five seconds, and
/// everybody else verifies two signatures for each of them.
inline constexpr std::size_t gathered_joins = 512;

/// Knocks waiting for a commit, and their bytes: a crowd at the door. Whoever comes later knocks again.
inline constexpr std::size_t waiting_joins = 16384;
inline constexpr std::size_t waiting_join_bytes = std::size_t{1} << 25U;

/// Refreshes of keys, all members of a meeting together, are this far apart: a quarter of all slots, so that joins and
/// leaves keep the others, and 4 KB a second for everybody in a meeting of 10,000.
inline constexpr std::chrono::milliseconds refresh_spacing{1000};
/// The least time between two refreshes of one member, and so how long a stolen state stays useful in meetings of up to
/// 600; in larger ones it is the spacing times their members.
inline constexpr std::chrono::milliseconds refresh_period{600'000};

/// Steps of a sender's ratchet (RFC 9605 5.1) a receiver takes for one frame: each costs two HMACs, and how many is read
/// before the frame is authenticated. And steps whose frames still open, the newest among them: for reordering.
inline constexpr std::uint64_t sframe_ratchet_forward = 64;
inline constexpr std::size_t sframe_open_steps = 8;

/// Streams (contexts of RFC 9605 5.2) one member may send or be received on.
inline constexpr std::uint32_t streams = 64;

/// Receiving keys one receiver keeps: members that are heard, times streams, times open epochs. Only frames that
/// authenticated take a place; the one that was silent longest gives way.
inline constexpr std::size_t receiving_keys = 4096;

/// How long after a commit the security code is "updating": until then some screens may still show the epoch before.
inline constexpr std::chrono::milliseconds code_settling{2000};

/// Verification runs that may fail after this member revealed, in one epoch and in one meeting: each is a guess for an
/// interceptor, who wins it with probability 2^-bits: ten failures on both sides cost the shortest code 6 of its 26 bits.
inline constexpr std::size_t verification_failures_per_epoch = 3;
inline constexpr std::size_t verification_failures_per_meeting = 10;

/// How soon after a run that failed this member takes part in another one; and starts one, a little later, because the
/// others may have seen the end later.
inline constexpr std::chrono::milliseconds verification_back_off{2000};
inline constexpr std::chrono::milliseconds verification_restart{3000};

/// How long a run waits for the commitments, and for the reveals; and how long people may take to compare the codes.
inline constexpr std::chrono::milliseconds verification_phase{10'000};
inline constexpr std::chrono::milliseconds verification_comparing{180'000};

/// Bits of a spoken code: those of the shortest form, and of the longest, so that a meeting can ask for no more than there
/// is.
inline constexpr std::uint8_t spoken_code_bits = 26;
inline constexpr std::uint8_t spoken_code_bits_most = 42;

/// Contributors of one run: more than ever read a code aloud. Each costs two hashes.
inline constexpr std::size_t verification_contributors = 1024;

/// Runs of one member for which others hold admissions, in one meeting: what they begin later, a newcomer may end. So
/// nobody holds a door shut for longer than three or four minutes in all.
inline constexpr std::size_t verification_holds = 10;

/// Runs a member refuses with an answer in one epoch; further ones it refuses in silence, so that nobody can make it send.
inline constexpr std::size_t verification_refusals = 16;

/// Bytes and extensions of one certificate, names in one of its lists, certificates of one chain: several times what
/// authorities issue. Each certificate costs a signature to check, each name a comparison with each constraint above it.
inline constexpr std::size_t certificate_bytes = 8192;
inline constexpr std::size_t certificate_extensions = 32;
inline constexpr std::size_t certificate_names = 64;
inline constexpr std::size_t certificates = 8;

/// Attributes of one relative distinguished name that name constraints compare: one is usual, two are seen.
inline constexpr std::size_t name_attributes = 16;

/// Bits of an RSA key: below, it is weak (NIST SP 800-131A); above, checking a signature takes milliseconds.
inline constexpr std::size_t rsa_bits_least = 2048;
inline constexpr std::size_t rsa_bits_most = 8192;

/// Bytes of a revocation list, and of an OCSP response; how many of each are kept, and how many bytes of both together.
inline constexpr std::size_t revocation_list_bytes = (std::size_t{1} << 24U) - 1;
inline constexpr std::size_t ocsp_response_bytes = 16384;
inline constexpr std::size_t revocation_lists = 256;
inline constexpr std::size_t ocsp_responses = 4096;
inline constexpr std::size_t revocation_total_bytes = std::size_t{1} << 26U;

/// Issuers of whom it is remembered whether they have signed one of these: several keys have the same name while it changes
/// its key.
inline constexpr std::size_t issuers_of_news = 8;

/// How old news of revocation may be, whatever its issuer promises: a week is how long a stolen key stays usable.
inline constexpr std::chrono::seconds revocation_age = std::chrono::hours{24 * 7};

/// Chains of issuers that are remembered as good: an organisation has a handful.
inline constexpr std::size_t issuer_paths = 256;

/// People with a role in one meeting: hosts and their helpers. Every member holds the list, and each commit is judged by
/// it.
inline constexpr std::size_t roles = 256;

/// Bytes of one message in the chat: a page.
inline constexpr std::size_t chat_bytes = 16384;

/// Messages of the chat that a participant keeps, and their bytes, and events that wait to be taken: the oldest ones
/// give way. The bytes are a novel or ten; a flood of the longest messages would take ten times as many.
inline constexpr std::size_t chat_messages = 10'000;
inline constexpr std::size_t chat_history_bytes = std::size_t{1} << 24U;
inline constexpr std::size_t meeting_events = 65'536;
/// Bytes of a file of rules, and the policies and assignments in it: what a large organisation writes down. Its depth
/// needs no number: the format knows no deeper objects than three.
inline constexpr std::size_t rules_bytes = std::size_t{1} << 20U;
inline constexpr std::size_t rules_policies = 256;
inline constexpr std::size_t rules_assignments = 16384;

/// Bytes of a display name.
inline constexpr std::size_t name_bytes = 256;

/// Bytes of the name a host stores a user's second factor under: e-mail addresses have at most 254.
inline constexpr std::size_t user_bytes = 256;

/// Bytes of a shared secret (RFC 4226 4 recommends 160 bits), and the period of its codes: nobody types faster, and a
/// code that is accepted for three periods should not live longer than a few minutes.
inline constexpr std::size_t otp_secret_least = 20;
inline constexpr std::chrono::seconds otp_period_least{15};
inline constexpr std::chrono::seconds otp_period_most{60};

/// Bytes of an issuer and of an account in an otpauth URI, and of the whole, every one of them encoded: it still fits
/// into a QR code.
inline constexpr std::size_t otp_label_bytes = 128;
inline constexpr std::size_t otp_uri_bytes = 2048;

/// How long a QR code may be scanned and its first code typed: an app has to be installed meanwhile.
inline constexpr std::chrono::seconds otp_enrolment{600};

/// Wrong codes before a user waits, how long the first time, doubling with each further one, and how long at most. Only
/// who knows the password can make another one wait, for no longer than the last of these at a time; who never stops
/// can take every turn, until a new password ends it. That is the price of few guesses, of which there are 16 on the
/// first day and 6 on each further one. With six digits, of which three codes are right at a time, guessing for a year
/// succeeds with 0.7 %, and with 2 % where the user signs in every day meanwhile and does not heed the number of wrong
/// codes.
inline constexpr std::uint32_t otp_free_failures = 3;
inline constexpr std::chrono::seconds otp_wait_first{30};
inline constexpr std::chrono::seconds otp_wait_most = std::chrono::hours{4};

/// Bytes of a sealed record of a second factor: three times what is written.
inline constexpr std::size_t otp_record_bytes = 512;

/// How often a change of a record is computed anew because another one was saved first. Wrong codes are soon not saved
/// at all, so nobody loses that often.
inline constexpr std::size_t lost_races = 16;

/// How long a store waits for another process that writes.
inline constexpr std::chrono::milliseconds store_wait{2000};

/// Bytes at which a chunk of a recording is sealed: what a crash can lose at most, but for a single longer entry; at this
/// size 52 bytes of framing are nothing. And the most one may have: the longest frame with all that is said about it.
inline constexpr std::size_t recording_chunk_target = std::size_t{1} << 16U;
inline constexpr std::size_t recording_chunk_bytes = frame_bytes + 1024;

/// Persons a recording is made out to at its creation: each costs a reader who is not among them a key agreement.
inline constexpr std::size_t recording_recipients = 64;

/// Places in the index of a recording, at most a megabyte: a place for each chunk of the first 4 GiB, every other one up
/// to 8 GiB, and so on.
inline constexpr std::size_t recording_index_points = std::size_t{1} << 16U;

/// Bytes of one message on its way through Redis: the tree of 2^17 members fits. And of one answer, with its elements: a
/// few such messages, or as many entries of the log as are asked for at a time.
inline constexpr std::size_t redis_message_bytes = std::size_t{1} << 25U;
inline constexpr std::size_t redis_reply_bytes = std::size_t{1} << 26U;
inline constexpr std::size_t redis_reply_elements = 4096;
inline constexpr std::size_t redis_entries = 256;

/// What waits for one person there: a key package is several times smaller than this; of Welcomes one is enough, but for
/// who was let in again meanwhile.
inline constexpr std::size_t redis_key_package_bytes = std::size_t{1} << 16U;
inline constexpr std::size_t redis_welcomes = 16;

/// Redirections of a cluster that one call follows: a slot moves once, and whoever is asked may be behind by another.
inline constexpr unsigned redis_redirections = 5;

}  // namespace conclave::limits
