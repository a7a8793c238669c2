// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// What a Redis server decides, as the Lua scripts it runs: each is atomic, and may be run twice with the same outcome.
/// `done`, a key of its own for each message or wish, remembers the outcome for a while.
#pragma once

#include <string_view>

#include <conclave/config.hpp>

namespace conclave::inline CONCLAVE_ABI::delivery::detail {

/// redis_send_script: a message for everybody. An entry's id is <epoch>-<number>: the commit that begins epoch E is E-0,
/// what is sent in E is E-1, E-2, ... without a gap. So the id of the last entry says which epoch it is, and the first
/// commit of an epoch takes the only place there is for one.
///
/// KEYS: log, done. ARGV: kind (c, p or a), epoch, how many epochs late an application message may be, message, entries
/// the log holds at least, milliseconds it lives after its last message, milliseconds that `done` lives.
/// Returns {"accepted" or "superseded" or "ahead", id}: the id of this message; of the commit that won; of the last entry.
inline constexpr std::string_view redis_send_script = R"lua(
local log, done = KEYS[1], KEYS[2]
local kind, epoch, late, message = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local was = redis.call('GET', done)
if was then return {'accepted', was} end
local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
local id = last and last[1] or '0-0'
local now, number = string.match(id, '^(%d+)-(%d+)$')
now, number = tonumber(now), tonumber(number)
if epoch > now then return {'ahead', id} end
if epoch < now and (kind ~= 'a' or epoch + late < now) then
  local next = string.format('%.0f-0', epoch + 1)
  local won = kind == 'c' and redis.call('XRANGE', log, next, next)[1]
  if won and won[2][2] == message then return {'accepted', next} end
  return {'superseded', next}
end
if kind == 'c' then id = string.format('%.0f-0', now + 1) else id = string.format('%.0f-%.0f', now, number + 1) end
redis.call('XADD', log, 'MAXLEN', '~', ARGV[5], id, 'm', message)
redis.call('PEXPIRE', log, ARGV[6])
redis.call('SET', done, id, 'PX', ARGV[7])
return {'accepted', id}
)lua";

/// redis_put_script: a message for one. KEYS: box, done. ARGV: message, messages a box holds, milliseconds it lives after
/// the last one, milliseconds that `done` lives. Returns "accepted" or "full".
inline constexpr std::string_view redis_put_script = R"lua(
if redis.call('EXISTS', KEYS[2]) == 1 then return 'accepted' end
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[2]) then return 'full' end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], '', 'PX', ARGV[4])
return 'accepted'
)lua";

/// redis_take_script: the oldest message of a box, which is gone then. KEYS: box, done. ARGV: milliseconds that `done`
/// lives. Returns the message, or nil.
inline constexpr std::string_view redis_take_script = R"lua(
local was = redis.call('GET', KEYS[2])
if was then return was end
local message = redis.call('LPOP', KEYS[1])
if message then redis.call('SET', KEYS[2], message, 'PX', ARGV[1]) end
return message
)lua";

/// redis_entrance_script: a GroupInfo, of the present epoch only. KEYS: log, entrance. ARGV: epoch, GroupInfo,
/// milliseconds it lives. Returns "accepted", "superseded" or "ahead".
inline constexpr std::string_view redis_entrance_script = R"lua(
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local now = last and tonumber(string.match(last[1], '^%d+')) or 0
local epoch = tonumber(ARGV[1])
if epoch < now then return 'superseded' end
if epoch > now then return 'ahead' end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 'accepted'
)lua";

}  // namespace conclave::delivery::detail
