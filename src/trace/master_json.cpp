#include "trace/master_json.hpp"

#include <algorithm>

#include "codec/time.hpp"
#include "gs1/element_string.hpp"
#include "trace/limits.hpp"
#include "trace/number_rule.hpp"

namespace theriac::trace {
namespace {

using codec::Json;

Status wrong(const char* member) { return fail(Code::kMalformed, member); }

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Of exactly `length` digits, the last of which is their check digit.
bool is_key(std::string_view text, std::size_t length) {
  if (text.size() != length || !is_digits(text)) return false;
  const auto wanted = gs1::check_digit(text.substr(0, length - 1));
  return wanted && *wanted == text.back();
}

bool is_name(std::string_view text) { return !text.empty() && text.size() <= kNameBytesMax; }
bool is_prefix_length(int length) { return length >= 6 && length <= 12; }
bool is_date(std::string_view text) {
  return text.size() == 10 && codec::parse_rfc3339(std::string(text) + "T00:00:00Z").has_value();
}
bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

}  // namespace

Json json_of(const Product& one) {
  return {{"gtin", one.gtin},
          {"name", one.name},
          {"nameZh", one.name_zh},
          {"level", one.level},
          {"inner", one.inner},
          {"innerCount", one.inner_count},
          {"prefixLength", one.prefix_length},
          {"market", one.market},
          {"kind", one.kind},
          {"udiMa", one.udi_ma},
          {"drugCode", one.drug_code},
          {"national", one.national},
          {"mixedLots", one.mixed_lots},
          {"active", one.active}};
}

void read(const Json& json, Product& one) {
  json.at("gtin").get_to(one.gtin);
  json.at("name").get_to(one.name);
  json.at("nameZh").get_to(one.name_zh);
  json.at("level").get_to(one.level);
  json.at("inner").get_to(one.inner);
  json.at("innerCount").get_to(one.inner_count);
  json.at("prefixLength").get_to(one.prefix_length);
  json.at("market").get_to(one.market);
  json.at("kind").get_to(one.kind);
  json.at("udiMa").get_to(one.udi_ma);
  json.at("drugCode").get_to(one.drug_code);
  json.at("national").get_to(one.national);
  json.at("mixedLots").get_to(one.mixed_lots);
  json.at("active").get_to(one.active);
}

Status check(const Product& one) {
  if (!is_key(one.gtin, 14)) return wrong("gtin");
  if (!is_name(one.name)) return wrong("name");
  if (one.name_zh.size() > kNameBytesMax) return wrong("nameZh");
  if (!is_one_of(one.level, {"each", "inner", "case", "pallet"})) return wrong("level");
  if (one.inner < 0 || (one.inner == 0) != (one.inner_count == 0)) return wrong("inner");
  if (one.inner_count < 0 || one.inner_count > kInnerCountMax) return wrong("innerCount");
  if (!is_prefix_length(one.prefix_length)) return wrong("prefixLength");
  if (!one.market.empty() && market_rule(one.market) == nullptr) return wrong("market");
  if (!is_one_of(one.kind, {"device", "medicine"})) return wrong("kind");
  if (one.udi_ma.size() > kNameBytesMax) return wrong("udiMa");
  if (!one.drug_code.empty() && (one.drug_code.size() != 7 || !is_digits(one.drug_code))) {
    return wrong("drugCode");
  }
  if (one.national.size() > kNameBytesMax) return wrong("national");
  return {};
}

Json json_of(const Lot& one) {
  return {{"number", one.number},
          {"made", one.made},
          {"expires", one.expires},
          {"certificate", one.certificate},
          {"certificateSha256", one.certificate_sha256}};
}

void read(const Json& json, Lot& one) {
  json.at("number").get_to(one.number);
  json.at("made").get_to(one.made);
  json.at("expires").get_to(one.expires);
  json.at("certificate").get_to(one.certificate);
  json.at("certificateSha256").get_to(one.certificate_sha256);
}

Status check(const Lot& one) {
  // AI 10: GS1 General Specifications 3.4.1.
  if (!gs1::check({{"10", one.number}}, {.required = false})) return wrong("number");
  if (!one.made.empty() && !is_date(one.made)) return wrong("made");
  if (!one.expires.empty() && !is_date(one.expires)) return wrong("expires");
  if (!one.made.empty() && !one.expires.empty() && one.expires < one.made) return wrong("expires");
  if (one.certificate.size() > kNameBytesMax) return wrong("certificate");
  if (!one.certificate_sha256.empty()) {
    const auto digest = from_hex(one.certificate_sha256);
    if (!digest || digest->size() != 32) return wrong("certificateSha256");
  }
  return {};
}

Json json_of(const Partner& one) {
  return {
      {"name", one.name}, {"gln", one.gln}, {"kind", one.kind}, {"certificates", one.certificates}};
}

void read(const Json& json, Partner& one) {
  json.at("name").get_to(one.name);
  json.at("gln").get_to(one.gln);
  json.at("kind").get_to(one.kind);
  json.at("certificates").get_to(one.certificates);
}

Status check(const Partner& one) {
  if (!is_name(one.name)) return wrong("name");
  if (!is_key(one.gln, 13)) return wrong("gln");
  if (!is_one_of(one.kind, {"maker", "wholesaler", "hospital", "authority", "carrier"})) {
    return wrong("kind");
  }
  if (one.certificates.size() > kCertificatesMax ||
      !std::ranges::all_of(one.certificates, [](const auto& name) { return is_name(name); })) {
    return wrong("certificates");
  }
  return {};
}

Json json_of(const Place& one) {
  return {{"gln", one.gln},
          {"extension", one.extension},
          {"name", one.name},
          {"prefixLength", one.prefix_length},
          {"lines", one.lines}};
}

void read(const Json& json, Place& one) {
  json.at("gln").get_to(one.gln);
  json.at("extension").get_to(one.extension);
  json.at("name").get_to(one.name);
  json.at("prefixLength").get_to(one.prefix_length);
  // Rows of the first schema have none.
  if (const auto lines = json.find("lines"); lines != json.end()) lines->get_to(one.lines);
}

Status check(const Place& one) {
  if (!is_key(one.gln, 13)) return wrong("gln");
  // AI 254: GS1 General Specifications 3.5.11.
  if (!one.extension.empty() && !gs1::check({{"254", one.extension}}, {.required = false})) {
    return wrong("extension");
  }
  if (!is_name(one.name)) return wrong("name");
  if (!is_prefix_length(one.prefix_length)) return wrong("prefixLength");
  if (one.lines.size() > kLinesOfPlaceMax ||
      !std::ranges::all_of(one.lines, [](const auto& name) { return is_name(name); })) {
    return wrong("lines");
  }
  return {};
}

}  // namespace theriac::trace
