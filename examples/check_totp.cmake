# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Plays the person of conclave_totp, with zbarimg for a camera and oathtool for an authenticator; time is given.
set(out ${work}/check_totp)
file(REMOVE_RECURSE ${out})
file(MAKE_DIRECTORY ${out})

# signs_in(<exit status> <text to find> <typed> <argument>...): one run; what it said is left in `told`.
function(signs_in expected text typed)
  string(REPLACE " " "\n" typed "${typed}")
  file(WRITE ${out}/typed "${typed}")
  execute_process(COMMAND ${program} --store ${out}/factors.db ${ARGN} INPUT_FILE ${out}/typed TIMEOUT 60
    RESULT_VARIABLE code OUTPUT_VARIABLE said ERROR_VARIABLE said)
  string(FIND "${said}" "${text}" at)
  if(NOT code STREQUAL expected OR at EQUAL -1)
    message(FATAL_ERROR "totp ${ARGN} with \"${typed}\" ended with ${code}, without \"${text}\": ${said}")
  endif()
  set(told "${said}" PARENT_SCOPE)
endfunction()

# scanned(<variable> <picture>): the secret of the QR code.
function(scanned variable picture)
  execute_process(COMMAND zbarimg --nodbus --quiet --raw ${picture} OUTPUT_VARIABLE uri COMMAND_ERROR_IS_FATAL ANY)
  if(NOT uri MATCHES "^otpauth://totp/conclave:ann%40example\\.com\\?secret=([A-Z2-7]+)&issuer=conclave&algorithm=SHA1&digits=6&period=30\n$")
    message(FATAL_ERROR "the QR code says ${uri}")
  endif()
  set(${variable} ${CMAKE_MATCH_1} PARENT_SCOPE)
endfunction()

# shown(<variable> <secret> <time>): the code that the authenticator shows then.
function(shown variable secret time)
  execute_process(COMMAND oathtool --totp --base32 --now=@${time} ${secret} OUTPUT_VARIABLE code
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(${variable} ${code} PARENT_SCOPE)
endfunction()

signs_in(0 "Nothing was typed." "" --at 1000000000 --png ${out}/code.png --svg ${out}/code.svg)
scanned(secret ${out}/code.png)
execute_process(COMMAND rsvg-convert --width 600 --output ${out}/svg.png ${out}/code.svg COMMAND_ERROR_IS_FATAL ANY)
scanned(from_svg ${out}/svg.png)
if(NOT from_svg STREQUAL secret)
  message(FATAL_ERROR "the SVG shows another secret than the PNG")
endif()
shown(code ${secret} 1000000010)
signs_in(0 "The second factor is active." "${code}" --at 1000000010)
signs_in(1 "That code was used already" "${code}" --at 1000000010)
shown(code ${secret} 1000000040)
signs_in(0 "ann@example.com is signed in." "abc ${code}" --at 1000000040)

# four wrong ones: the fourth is not looked at any more, nor is the right one
shown(code ${secret} 1000000100)
math(EXPR wrong "(1${code} + 1) % 1000000")
string(LENGTH "${wrong}" digits)
math(EXPR missing "6 - ${digits}")
string(REPEAT 0 ${missing} zeros)
signs_in(1 "too many wrong codes: none is looked at for 30 seconds" "${zeros}${wrong} ${zeros}${wrong} ${zeros}${wrong} ${code}"
  --at 1000000100)
signs_in(1 "\"stage\": \"throttled\", \"wrong_codes\": 0, \"until\": 1000000130" "${code}" --at 1000000100 --json)
shown(code ${secret} 1000000130)
signs_in(0 "Wrong codes since the last right one: 3" "${code}" --at 1000000130)

# a lost phone
signs_in(0 "needs a second factor" "" --at 1000000200 --reset --png ${out}/code.png)
scanned(fresh ${out}/code.png)
if(fresh STREQUAL secret)
  message(FATAL_ERROR "the new secret is the old one")
endif()
shown(code ${fresh} 1000000200)
signs_in(0 "\"stage\": \"signed_in\"" "${code}" --at 1000000200 --json)

# another key opens nothing, and an unwritable store is no sign-in
signs_in(1 "a record is damaged, in another's place, or sealed under another key" "${code}" --key ${out}/other.key)
execute_process(COMMAND ${program} --store ${out}/missing/factors.db --key ${out}/other.key INPUT_FILE ${out}/typed
  RESULT_VARIABLE code ERROR_VARIABLE said OUTPUT_VARIABLE said)
if(NOT code EQUAL 1 OR NOT said MATCHES "the store failed")
  message(FATAL_ERROR "a store that cannot be opened ended with ${code}: ${said}")
endif()

# somebody who types nothing, and does not go away either
execute_process(COMMAND sleep 3 COMMAND ${program} --patience 1 TIMEOUT 60 RESULTS_VARIABLE codes OUTPUT_VARIABLE said)
if(NOT said MATCHES "Nothing was typed")
  message(FATAL_ERROR "with nobody there it ended with ${codes}: ${said}")
endif()
