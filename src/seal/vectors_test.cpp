// The vectors printed in docs/design: what the documents say is what the program does. They were
// computed by a separate implementation, not by this code.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "crypto/testing.hpp"
#include "seal/data_key.hpp"
#include "seal/format.hpp"
#include "seal/stream.hpp"
#include "seal/testing.hpp"

namespace theriac::seal {
namespace {

using namespace testing_support;  // NOLINT: a test
using theriac::testing_support::hex;

class Vector {
 public:
  void add(const std::string& line) {
    const std::size_t colon = line.find(':');
    ASSERT_NE(colon, std::string::npos) << line;
    fields_[line.substr(0, colon)] =
        colon + 2 < line.size() ? line.substr(colon + 2) : std::string();
  }
  [[nodiscard]] const std::string& text(const std::string& name) const {
    const auto found = fields_.find(name);
    EXPECT_NE(found, fields_.end()) << name;
    return found->second;
  }
  [[nodiscard]] Bytes bytes(const std::string& name) const { return hex(text(name)); }
  [[nodiscard]] Suite suite() const { return static_cast<Suite>(std::stoi(text("suite"))); }
  [[nodiscard]] LeasedKey key(Purpose purpose) const {
    LeasedKey made = leased(suite(), purpose, bytes("material"));
    EXPECT_EQ(to_hex(made.id.view()), text("key id"));
    return made;
  }
  [[nodiscard]] TenantId tenant() const { return *TenantId::from(bytes("tenant")); }

 private:
  std::map<std::string, std::string> fields_;
};

/// Every ```vector block of a document that starts with "what: <what>".
std::vector<Vector> vectors_of(const std::string& document, const std::string& what) {
  std::ifstream in(std::filesystem::path(THERIAC_SOURCE_DIR) / "docs/design" / document);
  EXPECT_TRUE(in) << document;
  std::vector<Vector> found;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line == "```vector") {
      inside = true;
      found.emplace_back();
    } else if (line == "```") {
      if (std::exchange(inside, false) && found.back().text("what") != what) found.pop_back();
    } else if (inside) {
      found.back().add(line);
    }
  }
  return found;
}

/// "first 00 to 03"-like byte strings are not spelt out beyond a few lines: `count` bytes i * 7.
Bytes counted(std::size_t count) {
  Bytes out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>(i * 7);
  return out;
}

void check_sealed_value(const Vector& vector) {
  const LeasedKey key = vector.key(Purpose::kData);
  Binding where;
  where.tenant = vector.tenant();
  where.kind = static_cast<Kind>(std::stoi(vector.text("kind")));
  where.field = *FieldId::from(vector.bytes("field"));
  if (!vector.text("row").empty()) where.row = *RowId::from(vector.bytes("row"));
  Buckets buckets;
  std::istringstream limits(vector.text("buckets"));
  for (std::uint32_t limit = 0; limits >> limit;) buckets.push_back(limit);

  const Key256 data_key = derive(key.suite, key.purpose, key.material, "theriac/data/v1");
  EXPECT_EQ(to_hex(TestSecretAccess::bytes(data_key)), vector.text("data key"));
  const Key256 nonce_key = derive(key.suite, key.purpose, key.material, "theriac/nonce/v1");
  NoncePrefix prefix;
  std::ranges::copy(vector.bytes("prefix"), prefix.begin());
  if (key.suite == Suite::kXaes256Gcm) {
    EXPECT_EQ(to_hex(TestSecretAccess::bytes(nonce_key)), vector.text("nonce key"));
    EXPECT_EQ(to_hex(TestSecretAccess::bytes(XaesKey(data_key).derive(prefix))),
              vector.text("message key"));
  } else {
    EXPECT_EQ(to_hex(TestSecretAccess::bytes(first_half(nonce_key))), vector.text("nonce key"));
    EXPECT_EQ(to_hex(TestSecretAccess::bytes(Sm4Key(data_key).derive(prefix))),
              vector.text("message key"));
  }
  const Associated associated(key.suite, !buckets.empty(), key.id, where);
  EXPECT_EQ(to_hex(associated.aad()), vector.text("aad"));

  Bytes script = vector.bytes("prefix");
  append(script, vector.bytes("random"));
  ScriptedRandom random(script);
  auto sealer = Sealer::make(key, random);
  ASSERT_TRUE(sealer);
  const auto sealed = sealer->seal(where, buckets, vector.bytes("plaintext"));
  ASSERT_TRUE(sealed);
  EXPECT_EQ(to_hex(*sealed), vector.text("sealed"));
  EXPECT_EQ(to_hex(ByteView(*sealed).subspan(associated.header().size() + 12, 12)),
            vector.text("suffix"));
  EXPECT_EQ(sealed->size() - associated.header().size() - kNonceBytes - kTagBytes,
            vector.bytes("body").size());

  Opener opener;
  ASSERT_TRUE(opener.add(key));
  const auto opened = opener.open(where, vector.bytes("sealed"));
  ASSERT_TRUE(opened);
  EXPECT_EQ(TestSecretAccess::bytes(*opened), vector.bytes("plaintext"));
}

TEST(DocumentedVectors, SealedValues) {
  std::size_t checked = 0;
  for (const char* document : {"sealed-values.md", "suite-2.md"}) {
    for (const Vector& vector : vectors_of(document, "sealed value")) {
      check_sealed_value(vector);
      ++checked;
    }
  }
  EXPECT_EQ(checked, 8U);
}

TEST(DocumentedVectors, BlindIndexes) {
  std::size_t checked = 0;
  for (const char* document : {"sealed-values.md", "suite-2.md"}) {
    for (const Vector& vector : vectors_of(document, "blind index")) {
      const DomainId domain = domain_of(vector.text("domain"));
      EXPECT_EQ(to_hex(domain.view()), vector.text("domain id"));
      auto indexer =
          Indexer::make(vector.key(Purpose::kIndex), vector.tenant(), domain, vector.text("label"));
      ASSERT_TRUE(indexer);
      EXPECT_EQ(to_hex(indexer->index(vector.bytes("canonical"))), vector.text("index"));
      ++checked;
    }
  }
  EXPECT_EQ(checked, 2U);
}

Bytes seal_stream(const Vector& vector, ByteView plaintext) {
  Bytes script;
  for (const char* drawn : {"file key", "chunk prefix", "prefix", "random"}) {
    append(script, vector.bytes(drawn));
  }
  ScriptedRandom random(script);
  auto sealer = StreamSealer::make(vector.key(Purpose::kStream), vector.tenant(), random);
  EXPECT_TRUE(sealer);
  Bytes sealed;
  EXPECT_TRUE(sealer->update(plaintext, sealed));
  EXPECT_TRUE(sealer->finish(sealed));
  return sealed;
}

TEST(DocumentedVectors, Streams) {
  const auto vectors = vectors_of("stream.md", "stream");
  EXPECT_EQ(vectors.size(), 4U);
  for (const Vector& vector : vectors) {
    EXPECT_EQ(to_hex(seal_stream(vector, vector.bytes("plaintext"))), vector.text("sealed"));
  }
}

TEST(DocumentedVectors, LongStreamsByTheirDigest) {
  const auto vectors = vectors_of("stream.md", "long stream");
  EXPECT_EQ(vectors.size(), 4U);
  for (const Vector& vector : vectors) {
    const Bytes sealed = seal_stream(vector, counted(std::stoul(vector.text("plaintext bytes"))));
    EXPECT_EQ(to_hex(crypto::sha256(sealed)), vector.text("sha256 of sealed"));
  }
}

}  // namespace
}  // namespace theriac::seal
