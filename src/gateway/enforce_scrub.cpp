#include "gateway/enforce_scrub.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "pgwire/messages.hpp"

namespace theriac::gateway {
namespace {

constexpr std::string_view kPrefix = "theriac_";
/// What a view said stands in the registry under this name and the view's own; the server names it
/// where something depends on it.
constexpr std::string_view kKeptView = "theriac.view_", kKeptViewQuoted = "theriac.\"view_";

/// For a helper that does not say of which column it is.
constexpr std::string_view kSomeColumn = "(protected)";

const rewrite::Column* column_of_number(const rewrite::Catalogue& catalogue, int number) {
  for (const auto& relation : catalogue.relations()) {
    for (const auto& column : relation.columns) {
      if (column.protection && column.protection->view_attribute == 0 &&
          column.protection->number == number) {
        return &column;
      }
    }
  }
  return nullptr;
}

/// A detail that quotes a row, a key or a value, in any language: anything with a parenthesis and
/// an equals sign, or naming a helper. Texts are translated by the server, so words cannot be
/// relied on.
bool quotes_values(std::string_view text) {
  return text.find(kPrefix) != std::string_view::npos || text.find("\\x") != std::string_view::npos;
}

/// Of a context "COPY people, line 3, column age: "7x"", in any language, what comes before the
/// value, and before a helper's name. Empty for another context.
std::string_view copy_place(std::string_view context) {
  if (!context.starts_with("COPY ")) return {};
  auto place = context.substr(0, context.find(": "));
  if (const auto helper = place.find(kPrefix); helper != std::string_view::npos) {
    place = place.substr(0, place.substr(0, helper).rfind(", "));
  }
  return place;
}

}  // namespace

namespace {

/// With a kept view's name as the view's own; a line that says the same as one before it goes.
std::string without_kept_views(std::string_view text) {
  std::vector<std::string> lines;
  while (true) {
    const auto end = text.find('\n');
    std::string line(text.substr(0, end));
    for (const std::string_view quote : {"", "\""}) {
      const auto name = "theriac." + std::string(quote) + "view_";
      for (std::size_t at = 0; (at = line.find(name, at)) != std::string::npos;) {
        line.replace(at, name.size(), quote);
      }
    }
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
    if (end == std::string_view::npos) break;
    text = text.substr(end + 1);
  }
  std::string out;
  for (const auto& line : lines) out += (&line == lines.data() ? "" : "\n") + line;
  return out;
}

}  // namespace

std::string without_helper_names(std::string_view text, const rewrite::Catalogue& catalogue) {
  std::string out;
  std::string own;
  if (text.find(kKeptView) != std::string_view::npos ||
      text.find(kKeptViewQuoted) != std::string_view::npos) {
    own = without_kept_views(text);
    text = own;
  }
  while (!text.empty()) {
    const auto at = text.find(kPrefix);
    if (at == std::string_view::npos) break;
    out += text.substr(0, at);
    auto rest = text.substr(at + kPrefix.size());
    bool replaced = false;
    for (const std::string_view kind : {"sealed_", "index_"}) {
      if (!rest.starts_with(kind)) continue;
      int number = 0;
      const auto digits = rest.substr(kind.size());
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), number);
      if (error != std::errc{}) continue;
      if (const auto* column = column_of_number(catalogue, number)) {
        out += column->name;
        text = digits.substr(static_cast<std::size_t>(end - digits.data()));
        replaced = true;
        break;
      }
    }
    for (const std::string_view inner : {"row", "index_q"}) {
      if (replaced || !rest.starts_with(inner)) continue;
      const auto end = std::min(rest.size(), rest.find_first_not_of("0123456789", inner.size()));
      if (end < rest.size() && (rest[end] == '_' || (rest[end] >= 'a' && rest[end] <= 'z')))
        continue;
      rest.remove_prefix(end);
      out += kSomeColumn;
      text = rest;
      replaced = true;
    }
    if (!replaced) {
      out += kPrefix;
      text = rest;
    }
  }
  out += text;
  return out;
}

bool is_scrubbed(ByteView body, bool rewritten) {
  const auto names = [&](std::string_view what) {
    return text_of(body).find(what) != std::string_view::npos;
  };
  return rewritten || names(kPrefix) || names(kKeptView) || names(kKeptViewQuoted);
}

void write_scrubbed(Bytes& out, char tag, ByteView body, const rewrite::Catalogue& catalogue,
                    bool rewritten, std::optional<std::size_t> position) {
  const auto fields = pgwire::read_notice(body);
  if (!is_scrubbed(body, rewritten)) {
    pgwire::write_message(out, tag, body);
    return;
  }
  Bytes scrubbed;
  bool has_sqlstate = false;
  for (const auto& field : fields) {
    switch (field.code) {
      case 'D':  // detail: quotes keys and rows
      case 'q':  // internal query
        if (rewritten || quotes_values(field.text)) continue;
        break;
      case 'W':  // context: quotes statements and parameters
        if (rewritten || quotes_values(field.text)) {
          const auto place = copy_place(field.text);
          if (place.empty()) continue;
          scrubbed.push_back('W');
          append(scrubbed, place);
          scrubbed.push_back(0);
          continue;
        }
        break;
      case 'P':  // positions of a text the client never sent
      case 'p':
        if (!rewritten) break;
        if (field.code == 'P' && position) {
          scrubbed.push_back('P');
          append(scrubbed, std::to_string(*position));
          scrubbed.push_back(0);
        }
        continue;
      default:
        break;
    }
    has_sqlstate = has_sqlstate || field.code == 'C';
    scrubbed.push_back(static_cast<std::uint8_t>(field.code));
    append(scrubbed, without_helper_names(field.text, catalogue));
    scrubbed.push_back(0);
  }
  if (!has_sqlstate) {
    scrubbed.push_back('C');
    append(scrubbed, std::string_view("XX000"));
    scrubbed.push_back(0);
  }
  scrubbed.push_back(0);
  pgwire::write_message(out, tag, scrubbed);
}

}  // namespace theriac::gateway
