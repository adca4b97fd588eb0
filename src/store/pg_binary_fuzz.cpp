// A server's integers and numerics: the first byte draws the type.
#include "store/pg_binary.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;
  using namespace theriac::store;
  if (size == 0) return 0;
  constexpr std::array kTypes{PgType::kNumeric, PgType::kInt8, PgType::kInt4,
                              PgType::kInt2,    PgType::kBool, PgType::kText};
  const PgType type = kTypes.at(data[0] % kTypes.size());
  const auto value = integer_from(type, {data + 1, size - 1});
  THERIAC_ASSERT(value || value.error().code == Code::kOutOfRange);
  return 0;
}
