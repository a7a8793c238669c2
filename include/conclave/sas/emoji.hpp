// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
/// emoji: 64 pictures that are told apart at a glance, each with a name to read aloud in three languages.
#pragma once

#include <conclave/bytes.hpp>

namespace conclave::inline CONCLAVE_ABI::sas {

/// language: in which the names of emoji are read aloud. The words of sas/wordlist.hpp are English for everybody.
enum class language : std::uint8_t { english, swedish, dutch };

struct emoji {
  const char* picture;   ///< UTF-8
  const char* names[3];  ///< by language, UTF-8

  [[nodiscard]] constexpr const char* name(language in) const noexcept { return names[static_cast<std::size_t>(in)]; }
};

inline constexpr std::size_t emoji_count = 64;

/// emoji_table: chosen so that no two look alike in any font, and no two names sound alike. Changing an entry changes what
/// people on different versions see.
inline constexpr emoji emoji_table[emoji_count] = {
    {"🐘", {"elephant", "elefant", "olifant"}},
    {"🦊", {"fox", "räv", "vos"}},
    {"🐝", {"bee", "bi", "bij"}},
    {"🦉", {"owl", "uggla", "uil"}},
    {"🐢", {"turtle", "sköldpadda", "schildpad"}},
    {"🦒", {"giraffe", "giraff", "giraffe"}},
    {"🐳", {"whale", "val", "walvis"}},
    {"🦀", {"crab", "krabba", "krab"}},
    {"🐌", {"snail", "snigel", "slak"}},
    {"🦔", {"hedgehog", "igelkott", "egel"}},
    {"🐧", {"penguin", "pingvin", "pinguïn"}},
    {"🐸", {"frog", "groda", "kikker"}},
    {"🦋", {"butterfly", "fjäril", "vlinder"}},
    {"🐫", {"camel", "kamel", "kameel"}},
    {"🌵", {"cactus", "kaktus", "cactus"}},
    {"🌻", {"sunflower", "solros", "zonnebloem"}},
    {"🍄", {"mushroom", "svamp", "paddenstoel"}},
    {"🌲", {"pine tree", "gran", "dennenboom"}},
    {"🌙", {"moon", "måne", "maan"}},
    {"⚡", {"lightning", "blixt", "bliksem"}},
    {"🌈", {"rainbow", "regnbåge", "regenboog"}},
    {"⛄", {"snowman", "snögubbe", "sneeuwpop"}},
    {"🔥", {"fire", "eld", "vuur"}},
    {"🌋", {"volcano", "vulkan", "vulkaan"}},
    {"🍋", {"lemon", "citron", "citroen"}},
    {"🍓", {"strawberry", "jordgubbe", "aardbei"}},
    {"🍌", {"banana", "banan", "banaan"}},
    {"🍇", {"grapes", "vindruvor", "druiven"}},
    {"🥕", {"carrot", "morot", "wortel"}},
    {"🌽", {"corn", "majs", "maïs"}},
    {"🍕", {"pizza", "pizza", "pizza"}},
    {"🥐", {"croissant", "giffel", "croissant"}},
    {"🍿", {"popcorn", "popcorn", "popcorn"}},
    {"🎂", {"cake", "tårta", "taart"}},
    {"🍦", {"ice cream", "glass", "ijsje"}},
    {"☕", {"coffee", "kaffe", "koffie"}},
    {"🚲", {"bicycle", "cykel", "fiets"}},
    {"🚂", {"train", "tåg", "trein"}},
    {"🚜", {"tractor", "traktor", "tractor"}},
    {"🚀", {"rocket", "raket", "raket"}},
    {"⛵", {"sailboat", "segelbåt", "zeilboot"}},
    {"🚁", {"helicopter", "helikopter", "helikopter"}},
    {"⚓", {"anchor", "ankare", "anker"}},
    {"⛺", {"tent", "tält", "tent"}},
    {"🏰", {"castle", "slott", "kasteel"}},
    {"🌉", {"bridge", "bro", "brug"}},
    {"🎸", {"guitar", "gitarr", "gitaar"}},
    {"🎺", {"trumpet", "trumpet", "trompet"}},
    {"🎹", {"piano", "piano", "piano"}},
    {"🎻", {"violin", "fiol", "viool"}},
    {"🎈", {"balloon", "ballong", "ballon"}},
    {"🎲", {"dice", "tärning", "dobbelsteen"}},
    {"🏆", {"trophy", "pokal", "beker"}},
    {"⚽", {"football", "fotboll", "voetbal"}},
    {"🔑", {"key", "nyckel", "sleutel"}},
    {"🔔", {"bell", "klocka", "bel"}},
    {"✂️", {"scissors", "sax", "schaar"}},
    {"🔨", {"hammer", "hammare", "hamer"}},
    {"💡", {"light bulb", "glödlampa", "gloeilamp"}},
    {"🧲", {"magnet", "magnet", "magneet"}},
    {"🎩", {"hat", "hatt", "hoed"}},
    {"👑", {"crown", "krona", "kroon"}},
    {"☂️", {"umbrella", "paraply", "paraplu"}},
    {"🎁", {"gift", "present", "cadeau"}},
};

}  // namespace conclave::sas
