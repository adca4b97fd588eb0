#include "rewrite/catalogue.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace theriac::rewrite {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

bool starts_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool continues_word(char c) { return starts_word(c) || (c >= '0' && c <= '9'); }

// PostgreSQL cuts identifiers at 63 bytes, so longer words in a text could mean a shorter name.
constexpr std::size_t kNameBytes = 63;

/// Names made of word characters only are looked up word by word; the others, and those that a
/// longer word could be cut to, are searched for as text.
bool is_plain_word(std::string_view name) {
  return !name.empty() && name.size() < kNameBytes && starts_word(name.front()) &&
         std::all_of(name.begin(), name.end(), continues_word);
}

}  // namespace

std::vector<int> Protection::indexes() const {
  std::vector<int> out;
  if (searchable) out.push_back(0);
  for (std::size_t i = 0; i < expressions.size(); ++i) out.push_back(static_cast<int>(i) + 1);
  return out;
}

std::string Protection::index_name(int ordinal) const {
  if (ordinal == 0) return index_name();
  return index_name() + "_" + expressions.at(static_cast<std::size_t>(ordinal) - 1).name;
}

bool Relation::is_protected() const {
  return std::any_of(columns.begin(), columns.end(),
                     [](const Column& column) { return column.protection.has_value(); });
}

const Column* Relation::find(std::string_view column) const {
  const auto at = std::find_if(columns.begin(), columns.end(),
                               [&](const Column& one) { return one.name == column; });
  return at == columns.end() ? nullptr : &*at;
}

const Column* Relation::find_attribute(std::int16_t attribute) const {
  const auto at = std::find_if(columns.begin(), columns.end(),
                               [&](const Column& one) { return one.attribute == attribute; });
  return at == columns.end() ? nullptr : &*at;
}

Catalogue::Catalogue(std::uint64_t epoch, std::vector<Relation> relations,
                     std::vector<Awaited> awaited, bool adopts, Overlay overlay)
    : epoch_(epoch),
      relations_(std::move(relations)),
      awaited_(std::move(awaited)),
      adopts_(adopts),
      overlay_(std::move(overlay)) {
  for (std::size_t i = 0; i < relations_.size(); ++i) {
    auto& relation = relations_[i];
    // Whatever order the loader used: `*` and alias lists follow attribute numbers.
    std::sort(relation.columns.begin(), relation.columns.end(),
              [](const Column& a, const Column& b) { return a.attribute < b.attribute; });
    by_name_[relation.name].push_back(i);
    by_oid_[relation.oid] = i;
    const bool secret = relation.is_protected();
    has_protected_ = has_protected_ || secret;
    if (!secret && !relation.reads_protected && !relation.recreated) continue;
    watch(relation.name);
  }
  for (const auto& one : awaited_) watch(one.table);
  std::sort(watched_.begin(), watched_.end());
  watched_.erase(std::unique(watched_.begin(), watched_.end()), watched_.end());
  for (const auto& name : overlay_.relations) {
    if (name.starts_with("pg_")) overlaid_.push_back(name);
  }
  if (!overlay_.empty()) overlaid_.emplace_back("restrict_nonsystem_relation_kind");
  overlaid_.insert(overlaid_.end(), overlay_.functions.begin(), overlay_.functions.end());
  std::sort(overlaid_.begin(), overlaid_.end());
}

void Catalogue::watch(std::string_view table) {
  const auto name = lowered(table);
  watched_.push_back(name);
  if (name.find('"') == std::string::npos) return;
  std::string doubled;
  for (const char c : name) doubled.append(c == '"' ? 2 : 1, c);
  watched_.push_back(doubled);
}

bool Catalogue::awaits_table(std::string_view name) const {
  return std::any_of(awaited_.begin(), awaited_.end(),
                     [&](const Awaited& one) { return one.table == name; });
}

const Relation* Catalogue::find(std::string_view schema, std::string_view name,
                                const std::vector<std::string>& path) const {
  const auto at = by_name_.find(std::string(name));
  if (at == by_name_.end()) return nullptr;
  const auto in_schema = [&](std::string_view wanted) -> const Relation* {
    for (const auto i : at->second) {
      if (relations_[i].schema == wanted) return &relations_[i];
    }
    return nullptr;
  };
  if (!schema.empty()) return in_schema(schema);
  if (std::find(path.begin(), path.end(), "pg_catalog") == path.end()) {
    if (const auto* system = in_schema("pg_catalog")) return system;
  }
  for (const auto& one : path) {
    if (const auto* relation = in_schema(one)) return relation;
  }
  return nullptr;
}

const Relation* Catalogue::holder(const Column& column) const {
  for (const auto& relation : relations_) {
    const auto* first = relation.columns.data();
    const auto* end = first + relation.columns.size();
    if (!std::less<>{}(&column, first) && std::less<>{}(&column, end)) return &relation;
  }
  return nullptr;
}

const Relation* Catalogue::find(std::uint32_t oid) const {
  const auto at = by_oid_.find(oid);
  return at == by_oid_.end() ? nullptr : &relations_[at->second];
}

bool Catalogue::may_concern(std::string_view sql) const {
  constexpr std::string_view kOurs = "theriac";
  const auto is_watched = [&](std::string_view word) {
    return std::binary_search(watched_.begin(), watched_.end(), word, std::less<>());
  };
  std::array<char, kNameBytes> word{};
  bool ours = false;
  for (std::size_t i = 0; i < sql.size();) {
    const char c = sql[i];
    if (!starts_word(c)) {
      ++i;
      continue;
    }
    if ((c == 'u' || c == 'U') && sql.substr(i + 1, 2) == "&\"") return true;
    const std::size_t begin = i;
    while (i < sql.size() && continues_word(sql[i])) ++i;
    const std::size_t size = std::min(i - begin, kNameBytes);
    for (std::size_t k = 0; k < size; ++k) word[k] = lower(sql[begin + k]);
    const std::string_view seen(word.data(), size);
    if (i - begin > kNameBytes) {  // rare: look at the whole of it
      ours = ours || lowered(sql.substr(begin, i - begin)).find(kOurs) != std::string::npos;
    }
    if (ours || seen.find(kOurs) != std::string_view::npos || is_watched(seen)) return true;
  }
  const auto is_odd = [](const std::string& name) { return !is_plain_word(name); };
  if (std::none_of(watched_.begin(), watched_.end(), is_odd)) return false;
  const auto text = lowered(sql);
  return std::any_of(watched_.begin(), watched_.end(), [&](const std::string& name) {
    return is_odd(name) && text.find(name) != std::string::npos;
  });
}

bool Catalogue::may_read_overlaid(std::string_view sql, bool with_information_schema) const {
  if (overlay_.empty()) return false;
  std::array<char, kNameBytes> word{};
  for (std::size_t i = 0; i < sql.size();) {
    if (!starts_word(sql[i])) {
      ++i;
      continue;
    }
    if ((sql[i] == 'u' || sql[i] == 'U') && sql.substr(i + 1, 2) == "&\"") return true;
    const std::size_t begin = i;
    while (i < sql.size() && continues_word(sql[i])) ++i;
    const std::size_t size = i - begin;
    // Most words begin like none of pg_*, has_*, _pg_*, information_schema and a setting.
    if (size > kNameBytes) continue;
    const char first = lower(sql[begin]);
    const bool likely = std::string_view("phir_").contains(first);
    if (!with_information_schema && (!likely || size < 6)) continue;
    for (std::size_t k = 0; k < size; ++k) word[k] = lower(sql[begin + k]);
    const std::string_view seen(word.data(), size);
    if (with_information_schema && overlay_.relations.contains(std::string(seen))) return true;
    if (seen == "information_schema" ||
        std::binary_search(overlaid_.begin(), overlaid_.end(), seen, std::less<>())) {
      return true;
    }
  }
  return false;
}

}  // namespace theriac::rewrite
