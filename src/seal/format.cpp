#include "seal/format.hpp"

#include "crypto/hash.hpp"

namespace theriac::seal {

namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kFlagRow = 1;
constexpr std::uint8_t kFlagPadded = 2;
constexpr std::uint8_t kPaddingStart = 0x80;  // ISO/IEC 7816-4

}  // namespace

Associated::Associated(Suite suite, bool padded, const KeyId& key_id, const Binding& binding) {
  std::uint8_t* const header = bytes_.data() + kNonceHalfBytes;
  std::uint8_t* at = header;
  const auto put = [&at](ByteView bytes) {
    std::memcpy(at, bytes.data(), bytes.size());
    at += bytes.size();
  };
  *at++ = kVersion;
  *at++ = static_cast<std::uint8_t>(suite);
  *at++ = static_cast<std::uint8_t>((binding.row ? kFlagRow : 0) | (padded ? kFlagPadded : 0));
  put(key_id.view());
  if (binding.row) put(binding.row->view());
  header_size_ = static_cast<std::size_t>(at - header);

  const std::uint8_t* const aad = at;
  const auto put_counted = [&](ByteView bytes) {
    store_be(at, static_cast<std::uint16_t>(bytes.size()));
    at += sizeof(std::uint16_t);
    put(bytes);
  };
  const auto kind = static_cast<std::uint8_t>(binding.kind);
  put_counted({header, header_size_});
  put_counted(binding.tenant.view());
  put_counted({&kind, 1});
  put_counted(binding.field.view());
  aad_size_ = static_cast<std::size_t>(at - aad);
}

Result<std::size_t> padded_size(const Buckets& buckets, std::size_t plaintext_size) {
  if (plaintext_size > kSealedPlaintextBytesMax) return fail(Code::kTooLarge, "value to seal");
  if (buckets.empty()) return plaintext_size;
  const std::size_t needed = plaintext_size + 1;
  std::size_t size = 0;
  const auto holds = std::ranges::find_if(buckets, [&](auto limit) { return limit >= needed; });
  if (holds != buckets.end()) {
    size = *holds;
  } else {
    const std::size_t last = buckets.back();
    if (last == 0) return fail(Code::kOutOfRange, "length buckets");
    size = (needed + last - 1) / last * last;
  }
  if (size > kSealedPlaintextBytesMax) return fail(Code::kTooLarge, "value to seal");
  return size;
}

Result<std::size_t> unpadded_size(ByteView padded) {
  std::size_t size = padded.size();
  while (size > 0 && padded[size - 1] == 0) --size;
  if (size == 0 || padded[size - 1] != kPaddingStart) return fail(Code::kMalformed, "padding");
  return size - 1;
}

Result<Header> parse_header(ByteView sealed) {
  const auto bad = [](const char* where) { return fail(Code::kMalformed, where); };
  if (sealed.size() < kOverheadBytes) return bad("sealed value: length");
  if (sealed[0] != kVersion) return bad("sealed value: version");
  if (sealed[1] != static_cast<std::uint8_t>(Suite::kXaes256Gcm) &&
      sealed[1] != static_cast<std::uint8_t>(Suite::kSm4Gcm)) {
    return bad("sealed value: suite");
  }
  if ((sealed[2] & ~(kFlagRow | kFlagPadded)) != 0) return bad("sealed value: flags");
  Header header;
  header.suite = static_cast<Suite>(sealed[1]);
  header.padded = (sealed[2] & kFlagPadded) != 0;
  std::memcpy(header.key_id.bytes.data(), sealed.data() + 3, KeyId::kSize);
  header.size = kHeaderBytes;
  if ((sealed[2] & kFlagRow) != 0) {
    if (sealed.size() < kOverheadBytes + kRowIdBytes) return bad("sealed value: length");
    std::memcpy(header.row.emplace().bytes.data(), sealed.data() + kHeaderBytes, kRowIdBytes);
    header.size += kRowIdBytes;
  }
  if (sealed.size() - header.size - kNonceBytes - kTagBytes > kSealedPlaintextBytesMax) {
    return bad("sealed value: length");
  }
  return header;
}

DomainId domain_of(std::string_view name) {
  Bytes named = bytes_of("theriac/domain/v1");
  named.push_back(0);
  append(named, name);
  const crypto::Digest digest = crypto::sha256(named);
  DomainId id;
  std::memcpy(id.bytes.data(), digest.data(), DomainId::kSize);
  return id;
}

}  // namespace theriac::seal
