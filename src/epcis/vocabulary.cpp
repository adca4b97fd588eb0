#include "epcis/vocabulary.hpp"

#include <algorithm>
#include <array>

namespace theriac::epcis {

namespace {

#include "epcis/vocabulary_words.inc"

struct Names {
  std::span<const std::string_view> words;
  std::string_view urn;      ///< "urn:epcglobal:cbv:…:", empty: none
  std::string_view web;      ///< what stands before the word in its Web URI
  std::string_view compact;  ///< and in its compact URI
};

const Names& names_of(Vocabulary vocabulary) {
  static const std::array<Names, 8> kNames{{
      {kBizSteps, "urn:epcglobal:cbv:bizstep:", "https://ref.gs1.org/cbv/BizStep-", "cbv:BizStep-"},
      {kDispositions, "urn:epcglobal:cbv:disp:", "https://ref.gs1.org/cbv/Disp-", "cbv:Disp-"},
      {kTransactionTypes, "urn:epcglobal:cbv:btt:", "https://ref.gs1.org/cbv/BTT-", "cbv:BTT-"},
      {kPartyTypes, "urn:epcglobal:cbv:sdt:", "https://ref.gs1.org/cbv/SDT-", "cbv:SDT-"},
      {kErrorReasons, "urn:epcglobal:cbv:er:", "https://ref.gs1.org/cbv/ER-", "cbv:ER-"},
      {kMeasurements, "", "https://gs1.org/voc/", "gs1:"},
      {kAlerts, "", "https://gs1.org/voc/", "gs1:"},
      {kComponents, "", "https://ref.gs1.org/cbv/Comp-", "cbv:Comp-"},
  }};
  return kNames[static_cast<std::size_t>(vocabulary)];
}

/// Words that CBV 1.1 replaced.
struct Renamed {
  Vocabulary vocabulary;
  std::string_view old_name;
  std::string_view name;
};
constexpr std::array<Renamed, 5> kRenamed{{
    {Vocabulary::kDisposition, "non_sellable_damaged", "damaged"},
    {Vocabulary::kDisposition, "non_sellable_disposed", "disposed"},
    {Vocabulary::kDisposition, "non_sellable_expired", "expired"},
    {Vocabulary::kDisposition, "non_sellable_no_pedigree_match", "no_pedigree_match"},
    {Vocabulary::kDisposition, "non_sellable_recalled", "recalled"},
}};

constexpr std::string_view kReservedSpaces[] = {
    "https://ref.gs1.org/voc/", "gs1:",
    "urn:epcglobal:cbv:",       "https://ref.gs1.org/cbv/",
    "http://ref.gs1.org/cbv/",  "https://ns.gs1.org/cbv/",
    "http://ns.gs1.org/cbv/",   "cbv:",
    "https://gs1.org/voc/",     "http://gs1.org/voc/",
    "https://www.gs1.org/voc/", "http://www.gs1.org/voc/"};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool starts_like(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::ranges::equal(text.substr(0, prefix.size()), prefix, {}, lower, lower);
}

/// Cuts a known beginning off `text`. What is irregular is the beginning, not the word.
bool cut_prefix(const Names& names, std::string_view& text, WordReading& out) {
  const auto cut = [&](std::string_view prefix, Spelling spelling, bool irregular) {
    if (prefix.empty() || !(irregular ? starts_like(text, prefix) : text.starts_with(prefix))) {
      return false;
    }
    text.remove_prefix(prefix.size());
    out.word.spelling = spelling;
    out.irregular = irregular;
    return true;
  };
  if (cut(names.urn, Spelling::kUrn, false) || cut(names.web, Spelling::kWebUri, false) ||
      cut(names.compact, Spelling::kCompact, false)) {
    return true;
  }
  // Older or mistaken homes of the same words: ns.gs1.org, www.gs1.org, http, another case.
  const std::size_t path = names.web.rfind('/') + 1;
  const std::string_view tail = names.web.substr(path);
  for (const std::string_view space : kReservedSpaces) {
    if (space.starts_with("urn:") || space == "cbv:" || space == "gs1:" ||
        space.ends_with("/voc/") != names.web.ends_with("/voc/")) {
      continue;
    }
    if (cut(std::string(space) + std::string(tail), Spelling::kWebUri, true)) return true;
  }
  return cut(names.urn, Spelling::kUrn, true) || cut(names.compact, Spelling::kCompact, true);
}

}  // namespace

std::span<const std::string_view> words_of(Vocabulary vocabulary) {
  return names_of(vocabulary).words;
}

bool is_standard(Vocabulary vocabulary, std::string_view bare) {
  return std::ranges::find(words_of(vocabulary), bare) != words_of(vocabulary).end();
}

WordReading read_word(Vocabulary vocabulary, std::string_view text) {
  WordReading out;
  std::string_view word = text;
  cut_prefix(names_of(vocabulary), word, out);
  for (const Renamed& entry : kRenamed) {
    if (entry.vocabulary == vocabulary && entry.old_name == word) {
      word = entry.name;
      out.renamed = true;
    }
  }
  out.standard = is_standard(vocabulary, word);
  if (out.standard) {
    out.word.value = word;
    return out;
  }
  out = {.word = {.value = std::string(text), .spelling = Spelling::kBare}};
  out.reserved = std::ranges::any_of(
      kReservedSpaces, [&](std::string_view space) { return starts_like(text, space); });
  return out;
}

std::string urn_of(Vocabulary vocabulary, std::string_view value) {
  if (!is_standard(vocabulary, value)) return std::string(value);
  const Names& names = names_of(vocabulary);
  return names.urn.empty() ? std::string() : std::string(names.urn) + std::string(value);
}

std::string web_uri_of(Vocabulary vocabulary, std::string_view value) {
  if (!is_standard(vocabulary, value)) return std::string(value);
  return std::string(names_of(vocabulary).web) + std::string(value);
}

std::string compact_of(Vocabulary vocabulary, std::string_view value) {
  if (!is_standard(vocabulary, value)) return std::string(value);
  return std::string(names_of(vocabulary).compact) + std::string(value);
}

}  // namespace theriac::epcis
