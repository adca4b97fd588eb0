#include "lease/token_file.hpp"

#include "codec/json.hpp"

namespace theriac::lease {

Status TokenFile::claim() {
  if (path_.empty()) return {};
  THERIAC_ASSIGN(claimed_, lock_file(path_ + ".lock"));
  return {};
}

Result<Memory> TokenFile::load() const {
  if (path_.empty()) return Memory{};
  auto bytes = read_small_file(path_);
  if (!bytes) {
    if (bytes.error().code == Code::kNotFound) return Memory{};
    return fail(bytes.error());
  }
  const auto json = codec::parse_json(text_of(*bytes));
  if (!json || !json->is_object()) return fail(Code::kMalformed, path_);
  const auto token = json->find("token");
  const auto pending = json->find("pending");
  if (token == json->end() || !token->is_string() || pending == json->end() ||
      !pending->is_string()) {
    return fail(Code::kMalformed, path_);
  }
  return Memory{token->get<std::string>(), pending->get<std::string>()};
}

Status TokenFile::store(const Memory& memory) const {
  if (path_.empty()) return {};
  const auto text =
      codec::canonical_json({{"format", 1}, {"token", memory.token}, {"pending", memory.pending}});
  auto stored = replace_file(path_, view_of(text), 0600);
  if (!stored) (void)remove_file(path_);
  return stored;
}

Status TokenFile::remove() const {
  if (path_.empty()) return {};
  return remove_file(path_);
}

}  // namespace theriac::lease
