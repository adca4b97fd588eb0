// For the unit tests and fuzz targets of src/seal only: leased keys and bindings made of a pattern.
#pragma once

#include <algorithm>
#include <array>

#include "base/random.hpp"
#include "seal/sealed.hpp"

namespace theriac::seal::testing_support {

inline Bytes pattern(std::uint8_t first, std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(first + i);
  return out;
}

inline LeasedKey leased(Suite suite, Purpose purpose, const Bytes& material) {
  LeasedKey key;
  key.suite = suite;
  key.purpose = purpose;
  key.material = Key256(ByteView(material).first<32>());
  key.id = commit_key(suite, purpose, key.material);
  key.class_name = "customer";
  key.version = 1;
  key.active = true;
  return key;
}
inline LeasedKey leased(Suite suite, Purpose purpose, std::uint8_t first) {
  return leased(suite, purpose, pattern(first, 32));
}

inline Binding binding(bool row = false) {
  Binding made;
  made.tenant = *TenantId::from(pattern(0xa0, 16));
  made.field = *FieldId::from(pattern(0xb0, 16));
  if (row) made.row = *RowId::from(pattern(0x70, 16));
  return made;
}

inline constexpr std::array kSuites = {Suite::kXaes256Gcm, Suite::kSm4Gcm};

/// Gives prepared bytes; asking for more than there are is a fault of the test.
class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(Bytes script) : script_(std::move(script)) {}
  void fill(MutableBytes out) override {
    THERIAC_ASSERT(next_ + out.size() <= script_.size());
    std::copy_n(script_.begin() + static_cast<std::ptrdiff_t>(next_), out.size(), out.begin());
    next_ += out.size();
  }

 private:
  Bytes script_;
  std::size_t next_ = 0;
};

}  // namespace theriac::seal::testing_support
