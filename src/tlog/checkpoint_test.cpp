#include "tlog/checkpoint.hpp"

#include <gtest/gtest.h>

#include "codec/base64.hpp"
#include "tlog/tiles.hpp"

namespace theriac::tlog {
namespace {

Code code_of(const auto& result) { return result ? Code::kInternal : result.error().code; }

// A log written by another implementation: transparency-dev/tessera testdata/log, its key (public
// test data), four of its checkpoints and the fifteen entries.
constexpr std::string_view kVkey =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
constexpr std::string_view kSecret = "AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg";
constexpr std::array<std::string_view, 15> kEntries{
    "one",  "two", "three",  "four",  "five",     "six",     "seven", "eit",
    "nain", "ten", "ileven", "twelf", "threeten", "fourten", "fivten"};
struct Given {
  std::size_t size;
  std::string_view root, signature;
};
constexpr std::array<Given, 4> kCheckpoints{{
    {0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
     "M9e0lhxJACzE1KoUdqKuPa+9p6R7dSW8BlEvrg/"
     "noo8FkGg6PbJoRNOcdjqjOq89wVvTA60eubCc4oufo5BvIVEgtQc="},
    {1, "0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=",
     "M9e0lhr9kuLxGdAtaUrhm84TQffVsLdcy808sN0a3WyniNlfcr9+bywoiIke1YYciCNjJGkCgIlQ8b16jhsmg/"
     "SChAM="},
    {5, "gy5gl3aksFyiCO95a/1vLXz88A3dRq+0l9Sxte8ZqZQ=",
     "M9e0lmn5eDHyHP10zJObZdFAX2y1V8fdDKBi4IiHbDYf1TCUBwxZOhqwv2QZCqrdda2zTRTrmnwjwscN5RBTEmZUYAs"
     "="},
    {15, "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=",
     "M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/"
     "dlPWF74ewI="},
}};

std::string note_of(const Given& given) {
  return fmt::format(
      "example.com/log/testdata\n{}\n{}\n\n\xe2\x80\x94 example.com/log/testdata {}\n", given.size,
      given.root, given.signature);
}

TEST(Checkpoint, AnotherImplementationsLogVerifiesAndOursIsByteForByteTheSame) {
  const auto vkey = parse_verifier_key(kVkey);
  ASSERT_TRUE(vkey);
  const Bytes secret = codec::from_base64(kSecret).value();
  std::array<std::uint8_t, 32> seed{};
  std::copy(secret.begin() + 1, secret.end(), seed.begin());
  const crypto::Ed25519Key key{Key256(seed)};
  TreeEdge edge;
  for (const Given& given : kCheckpoints) {
    while (edge.size() < given.size) edge.push(leaf_hash(view_of(kEntries.at(edge.size()))));
    const auto opened = open_checkpoint(note_of(given), *vkey);
    ASSERT_TRUE(opened) << given.size;
    EXPECT_EQ(opened->size, given.size);
    EXPECT_EQ(opened->root, edge.root());
    const Checkpoint ours{"example.com/log/testdata", given.size, edge.root(), {}};
    EXPECT_EQ(sign_checkpoint(ours, key).value(), note_of(given));
  }
}

TEST(Checkpoint, SpecificationExampleParses) {
  const auto parsed = parse_checkpoint(
      "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->origin, "example.com/behind-the-sofa");
  EXPECT_EQ(parsed->size, 20'852'163U);
}

TEST(Checkpoint, NegativeCases) {
  const std::string root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  EXPECT_TRUE(parse_checkpoint("o\n0\n" + root + "\n"));
  EXPECT_TRUE(parse_checkpoint("o\n9223372036854775807\n" + root + "\nextension 1\n2\n"));
  for (const std::string& bad :
       std::vector<std::string>{"",
                                "\n",
                                "o",
                                "o\n",
                                "o\n1",
                                "o\n1\n",
                                "o\n1\n" + root,
                                "\n1\n" + root + "\n",
                                "o\n\n" + root + "\n",
                                "o\n01\n" + root + "\n",
                                "o\n00\n" + root + "\n",
                                "o\n+1\n" + root + "\n",
                                "o\n-1\n" + root + "\n",
                                "o\n 1\n" + root + "\n",
                                "o\n1 \n" + root + "\n",
                                "o\n0x1\n" + root + "\n",
                                "o\n1e3\n" + root + "\n",
                                "o\n1\n\n",
                                "o\n1\nAAAA\n",
                                "o\n1\n" + root + "=\n",
                                "o\n1\n" + root + root + "\n",
                                "o\n1\n" + root.substr(0, 42) + "V=\n",  // trailing bits set
                                "o\n1\n47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=\n",
                                "o\n1\n" + root + "\n\n",
                                "o\n1\n" + root + "\next\n\n",
                                "o\n1\n" + root + "\next",
                                "1\n" + root + "\n",
                                "o\n" + root + "\n",
                                "o\n" + root + "\n1\n"}) {
    EXPECT_EQ(code_of(parse_checkpoint(bad)), Code::kMalformed) << bad;
  }
  for (const char* size : {"9223372036854775808", "18446744073709551616", "99999999999999999999"}) {
    EXPECT_EQ(code_of(parse_checkpoint(fmt::format("o\n{}\n{}\n", size, root))), Code::kOutOfRange);
  }
}

TEST(Checkpoint, OpeningNamesWhatIsWrong) {
  const auto vkey = parse_verifier_key(kVkey).value();
  const std::string good = note_of(kCheckpoints[2]);
  ASSERT_TRUE(open_checkpoint(good, vkey));
  std::string bad = good;
  bad.replace(bad.find("\n5\n"), 3, "\n6\n");
  EXPECT_EQ(code_of(open_checkpoint(bad, vkey)), Code::kNotAuthentic);
  auto stranger = vkey;
  stranger.name = "example.com/other";
  EXPECT_EQ(code_of(open_checkpoint(good, stranger)), Code::kNotFound);
  EXPECT_EQ(code_of(open_checkpoint(good.substr(0, good.size() - 1), vkey)), Code::kMalformed);
  // Signed by the log's key, but for somebody else's origin.
  const crypto::Ed25519Key key = crypto::Ed25519Key::generate();
  const auto own = make_verifier_key("example.com/a", key.public_key()).value();
  Note note{format_checkpoint({"example.com/b", 0, empty_root(), {}}), {}};
  ASSERT_TRUE(sign_note(note, "example.com/a", key));
  EXPECT_EQ(code_of(open_checkpoint(format_note(note), own)), Code::kMismatch);
}

TEST(Checkpoint, RoundTripWithExtensions) {
  const Checkpoint checkpoint{"example.com/log", 3, leaf_hash({}), {"a", "b c"}};
  EXPECT_EQ(parse_checkpoint(format_checkpoint(checkpoint)).value(), checkpoint);
  EXPECT_EQ(
      code_of(sign_checkpoint({"bad origin", 0, empty_root(), {}}, crypto::Ed25519Key::generate())),
      Code::kMalformed);
}

}  // namespace
}  // namespace theriac::tlog
