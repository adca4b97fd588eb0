// Schema texts: both dialects read the same ones, and what they write holds no word of ours.
#include "store/dialect.hpp"

#include "base/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;
  using namespace theriac::store;
  const std::string_view input = text_of({data, size});
  const auto sqlite = in_dialect(Dialect::kSqlite, input, 2);
  const auto postgresql = in_dialect(Dialect::kPostgresql, input, 3);
  THERIAC_ASSERT(sqlite.has_value() == postgresql.has_value());
  if (sqlite && input.find("TABLE") == std::string_view::npos) THERIAC_ASSERT(*sqlite == input);
  THERIAC_ASSERT(!is_name(input) || parameters_in(input) == 0);
  return 0;
}
