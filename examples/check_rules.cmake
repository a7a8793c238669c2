# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Asks conclave_rules what a help desk asks, and holds the exit status and the words against what they should be.

# asks(<exit status> <text> <argument>...): what is printed, on either stream, contains the text.
function(asks code text)
  execute_process(COMMAND ${program} ${ARGN} RESULT_VARIABLE got OUTPUT_VARIABLE said ERROR_VARIABLE said)
  string(FIND "${said}" "${text}" at)
  if(NOT got STREQUAL code OR at EQUAL -1)
    list(JOIN ARGN " " question)
    message(FATAL_ERROR "rules ${question} ended with ${got} and did not say \"${text}\": ${said}")
  endif()
endfunction()

asks(3 "Refused: web browsers cannot join" --preset webex visitor --platform web)
asks(0 "Waits in the lobby: nobody vouches" --preset open visitor --platform web)
asks(3 "the first version that can join is 41.7." visitor --platform windows --version 41.6.9)
asks(0 "reason: none" visitor --platform windows --version 41.7 --identity verified_internal --present 199)
asks(3 "it has room for 200." visitor --platform windows --version 41.7 --present 200)
asks(3 "the first 25 count." visitor --platform room_device --version 11 --present 25)
asks(3 "decided by: licence" --preset teams encryption --wanted)
asks(0 "decided by: organizer" --preset teams encryption --wanted --licence)
asks(3 "decided by: meeting_kind" --preset teams encryption --wanted --licence --kind webinar)
asks(0 "Breakout rooms: available." --preset open features)
asks(0 "Breakout rooms: not available" --preset teams features)
asks(0 "Live captions: available." --preset teams features --not-encrypted)
asks(0 "\"devices_among_first\": 25" --preset webex print)

set(file ${work}/rules.json)
file(WRITE ${file} [=[{
  "preset": "teams",
  "encryption": {
    "policies": { "school": "not_enabled" },
    "assigned": { "ada": "school" }
  },
  "admission": { "participants": 7 }
}]=])
asks(3 "the policy \"school\" does not enable it" --file ${file} encryption --organizer ada --wanted --licence)
asks(0 "decided by: organizer" --file ${file} encryption --organizer bela --wanted --licence)
asks(3 "it has room for 7." --file ${file} visitor --platform ios --present 7)
asks(0 "\"ada\": \"school\"" --file ${file} print)
file(WRITE ${file} "{\n  \"preset\": \"teams\",\n  \"admission\": { \"participants\": \"many\" }\n}\n")
asks(1 "rules.json: line 3, column 34: admission.participants: must be a whole number" --file ${file} print)
asks(1 "cannot be read" --file ${work}/no-such-file print)
asks(1 "a version is one to four numbers" visitor --platform ios --version latest)
asks(105 "dos not in" visitor --platform dos)
