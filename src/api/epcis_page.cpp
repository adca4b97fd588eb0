#include "api/epcis_page.hpp"

#include "api/limits.hpp"
#include "codec/base64.hpp"
#include "codec/time.hpp"

namespace theriac::api {
namespace {

constexpr std::size_t kHalf = sizeof(seal::IndexToken);
using Places = std::array<std::uint8_t, 24>;

/// The question without its token: who asks what.
std::string question(const Call& call) {
  std::string text = "page\n" + call.caller.identity.name + '\n';
  text += call.operation.name;
  for (const auto& [name, value] : call.request.path) text += '\n' + http::percent_encode(value);
  for (const auto& [name, value] : call.request.query.pairs()) {
    if (name == "nextPageToken" || name == "perPage") continue;
    text += '\n' + http::percent_encode(name) + '=' + http::percent_encode(value);
  }
  return text;
}

/// The stream that covers a token's numbers under its tag.
Result<Places> cover(trace::Vault& vault, const seal::IndexToken& tag, Places places) {
  std::string name = "page cover\n";
  name += text_of(ByteView(tag));
  for (std::size_t at = 0; at < places.size(); at += kHalf) {
    name += '.';
    THERIAC_ASSIGN(const auto block, vault.index(trace::Domain::kTerm, name));
    for (std::size_t i = 0; i < kHalf && at + i < places.size(); ++i) places[at + i] ^= block[i];
  }
  return places;
}

/// Synthetic IV (RFC 5297, section 2.6) over the blind index's function: the tag is of question and
/// numbers, the numbers are covered under the tag.
Result<seal::IndexToken> tag_of(const Call& call, const Places& places) {
  auto text = question(call) + "\n\n";
  text += text_of(ByteView(places));
  return call.work->vault.index(trace::Domain::kTerm, text);
}

/// base64 with the letters of addresses (RFC 4648, section 5), unpadded: 40 bytes need 54.
std::string to_letters(ByteView bytes) {
  auto text = codec::to_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}
Result<Bytes> from_letters(std::string_view letters) {
  std::string text(letters);
  if (text.find_first_of("+/=") != std::string::npos) return fail(Code::kMalformed, "token");
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return codec::from_base64(text);
}

std::string link_of(const http::Request& request, std::string_view token) {
  std::string link = "<";
  link += request.target.substr(0, request.target.find('?'));
  link += '?';
  for (const auto& [name, value] : request.query.pairs()) {
    if (name == "nextPageToken") continue;
    link += http::percent_encode(name) + "=" + http::percent_encode(value) + "&";
  }
  link += "nextPageToken=";
  link += token;
  return link + ">; rel=\"next\"";
}

}  // namespace

Result<std::optional<PagePlace>> page_place(Call& call) {
  const auto token = call.request.query.find("nextPageToken").value_or("");
  if (token.empty()) return PagePlace{};
  const auto bytes = from_letters(token);
  if (!bytes || bytes->size() != kHalf + sizeof(Places)) return std::nullopt;
  seal::IndexToken tag{};
  Places covered{};
  std::copy_n(bytes->begin(), kHalf, tag.begin());
  std::copy_n(bytes->begin() + kHalf, covered.size(), covered.begin());
  THERIAC_ASSIGN(const auto places, cover(call.work->vault, tag, covered));
  THERIAC_ASSIGN(const auto wanted, tag_of(call, places));
  if (!equal_constant_time(tag, wanted)) return std::nullopt;
  const auto number = [&](std::size_t at) {
    return static_cast<std::int64_t>(load_be<std::uint64_t>(places.data() + at));
  };
  if (number(16) < call.now_ms) return std::nullopt;
  return PagePlace{number(0), number(8)};
}

Status add_next_page(Call& call, http::Response& response, const PagePlace& next) {
  Places places{};
  const auto ends = call.now_ms + kPageTokenMs;
  store_be(places.data(), static_cast<std::uint64_t>(next.after));
  store_be(places.data() + 8, static_cast<std::uint64_t>(next.detail));
  store_be(places.data() + 16, static_cast<std::uint64_t>(ends));
  THERIAC_ASSIGN(const auto tag, tag_of(call, places));
  THERIAC_ASSIGN(const auto covered, cover(call.work->vault, tag, places));
  Bytes token(tag.begin(), tag.end());
  token.insert(token.end(), covered.begin(), covered.end());
  response.fields.push_back({"Link", link_of(call.request, to_letters(token))});
  response.fields.push_back({"GS1-Next-Page-Token-Expires", codec::rfc3339_utc(ends)});
  return {};
}

}  // namespace theriac::api
