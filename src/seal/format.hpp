// Bytes of a sealed value: header, associated data, padding. Internal to src/seal.
// docs/design/sealed-values.md sections 1, 2 and 4.
#pragma once

#include "seal/sealed.hpp"

namespace theriac::seal {

inline constexpr std::size_t kNonceHalfBytes = kNonceBytes / 2;

/// 12 random bytes, the header and the AAD of one value, in this order and without a gap: the part
/// of the nonce MAC's input that is not plaintext. Built on the stack, since the size is bounded.
class Associated {
 public:
  Associated(Suite suite, bool padded, const KeyId& key_id, const Binding& binding);

  /// To be filled when sealing; unused when opening.
  [[nodiscard]] MutableBytes random() { return MutableBytes(bytes_).first(kNonceHalfBytes); }
  [[nodiscard]] ByteView header() const {
    return ByteView(bytes_).subspan(kNonceHalfBytes, header_size_);
  }
  [[nodiscard]] ByteView aad() const {
    return ByteView(bytes_).subspan(kNonceHalfBytes + header_size_, aad_size_);
  }
  [[nodiscard]] ByteView all() const {
    return ByteView(bytes_).first(kNonceHalfBytes + header_size_ + aad_size_);
  }

 private:
  static constexpr std::size_t kHeaderBytesMax = kHeaderBytes + kRowIdBytes;
  static constexpr std::size_t kAadBytesMax =
      4 * sizeof(std::uint16_t) + kHeaderBytesMax + TenantId::kSize + 1 + FieldId::kSize;
  std::array<std::uint8_t, kNonceHalfBytes + kHeaderBytesMax + kAadBytesMax> bytes_;
  std::size_t header_size_ = 0;
  std::size_t aad_size_ = 0;
};

/// Size with padding. Code::kTooLarge, Code::kOutOfRange (last bucket 0).
Result<std::size_t> padded_size(const Buckets& buckets, std::size_t plaintext_size);
/// Size without it; Code::kMalformed when there is no 0x80 before the zeros.
Result<std::size_t> unpadded_size(ByteView padded);

}  // namespace theriac::seal
