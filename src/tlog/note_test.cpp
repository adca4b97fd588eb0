#include "tlog/note.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "codec/base64.hpp"

namespace theriac::tlog {
namespace {

crypto::Ed25519Key key_of(std::uint8_t fill) {
  const std::array<std::uint8_t, 32> seed = [&] {
    std::array<std::uint8_t, 32> made;
    made.fill(fill);
    return made;
  }();
  return crypto::Ed25519Key(Key256(seed));
}

Code code_of(const auto& result) { return result ? Code::kInternal : result.error().code; }

// The example of Go's sumdb/note documentation.
constexpr std::string_view kGoKey =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kGoNote =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf"
    "qdngotpRZb6KE6RyyBwJnAM=\n";
// The example of C2SP signed-note: text with an empty line and a letter beyond ASCII.
constexpr std::string_view kSpecNote =
    "Ognuno sta solo sul cuor della terra\n"
    "trafitto da un raggio di sole:\n"
    "\n"
    "ed \xc3\xa8 subito sera.\n"
    "\n"
    "\xe2\x80\x94 quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKON"
    "rMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";

TEST(Note, GoExampleVerifies) {
  const auto key = parse_verifier_key(kGoKey);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->name, "PeterNeumann");
  EXPECT_EQ(format_verifier_key(*key), kGoKey);
  const auto note = parse_note(kGoNote);
  ASSERT_TRUE(note);
  EXPECT_TRUE(verify_note(*note, *key));
  EXPECT_EQ(format_note(*note), kGoNote);
  auto other = *note;
  other.text[0] = 'i';
  EXPECT_EQ(code_of(verify_note(other, *key)), Code::kNotAuthentic);
}

TEST(Note, SpecificationExampleParses) {
  const auto note = parse_note(kSpecNote);
  ASSERT_TRUE(note);
  EXPECT_TRUE(note->text.ends_with("\n\ned \xc3\xa8 subito sera.\n"));
  ASSERT_EQ(note->signatures.size(), 1U);
  EXPECT_EQ(note->signatures[0].name, "quasimodo.example/salvatore");
  EXPECT_EQ(note->signatures[0].key_id, 0x367ba04bU);
  EXPECT_EQ(note->signatures[0].signature.size(), 64U);
  EXPECT_EQ(format_note(*note), kSpecNote);
}

TEST(Note, GoogleChecksumDatabaseKey) {
  const auto key =
      parse_verifier_key("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->key_id, 0x033de0aeU);
}

TEST(VerifierKey, Refusals) {
  const std::string good(kGoKey);
  EXPECT_EQ(code_of(parse_verifier_key("")), Code::kMalformed);
  EXPECT_EQ(code_of(parse_verifier_key("name")), Code::kMalformed);
  EXPECT_EQ(code_of(parse_verifier_key("name+c74f20a3")), Code::kMalformed);
  EXPECT_EQ(code_of(parse_verifier_key("+c74f20a3+ARpc")), Code::kMalformed);
  EXPECT_EQ(code_of(parse_verifier_key("PeterNeumann+c74f20a3+")), Code::kMalformed);
  EXPECT_EQ(code_of(parse_verifier_key("PeterNeumann+c74f20a3+ARpc")), Code::kMalformed);
  EXPECT_EQ(code_of(parse_verifier_key("PeterNeumann+c74f20+" + good.substr(22))),
            Code::kMalformed);
  EXPECT_EQ(code_of(parse_verifier_key(good + "\n")), Code::kMalformed);
  EXPECT_EQ(code_of(parse_verifier_key("PeterNeumann+c74f20a4" + good.substr(21))),
            Code::kNotAuthentic);
  EXPECT_EQ(code_of(parse_verifier_key("QeterNeumann" + good.substr(12))), Code::kNotAuthentic);
  Bytes ecdsa{0x02};
  ecdsa.resize(33);
  EXPECT_EQ(code_of(parse_verifier_key("a+00000000+" + codec::to_base64(ecdsa))),
            Code::kUnsupported);
}

TEST(KeyNames, SpacesPlusAndControlsAreRefused) {
  EXPECT_TRUE(valid_key_name("theriac.local/gateway-1"));
  EXPECT_TRUE(valid_key_name("\xe5\xae\xa1\xe8\xae\xa1"));  // 审计
  for (const std::string_view bad :
       {"", "a b", "a+b", "a\tb", "a\nb",
        "a\xc2\xa0"
        "b",
        "a\xe3\x80\x80"
        "b",
        "a\xe2\x80\x83"
        "b",
        "\xff", "a\x01", "\xc2\x85", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x80"}) {
    EXPECT_FALSE(valid_key_name(bad)) << to_hex(view_of(bad));
  }
  EXPECT_TRUE(valid_key_name(std::string(kKeyNameBytesMax, 'a')));
  EXPECT_FALSE(valid_key_name(std::string(kKeyNameBytesMax + 1, 'a')));
}

TEST(Note, MalformedNotes) {
  const std::string line(kGoNote.substr(kGoNote.find("\n\n") + 2));
  EXPECT_TRUE(parse_note("text\n\n" + line));
  for (const std::string& bad : std::vector<std::string>{
           "",
           "\n",
           "\n\n",
           "text\n",
           "text\n\n",
           "text\n\n\n" + line + "\n",                    // no signature last
           "text\n" + line,                               // no empty line
           "text\n\n" + line.substr(0, line.size() - 1),  // no last newline
           "te\rxt\n\n" + line,
           "te\txt\n\n" + line,
           std::string("te\0xt\n\n", 7) + line,
           "te\x1fxt\n\n" + line,
           "te\xffxt\n\n" + line,
           "te\xc0\x80xt\n\n" + line,
           "te\xed\xa0\x80xt\n\n" + line,
           "text\n\nx" + line,
           "text\n\n- Peter " + line.substr(17),
           "text\n\n\xe2\x80\x94 Peter\n",
           "text\n\n\xe2\x80\x94 Peter \n",
           "text\n\n\xe2\x80\x94 Peter AAAAAA==\n",  // four bytes: a key id and no signature
           "text\n\n\xe2\x80\x94 Peter x08go_ZJ\n",  // another base64 alphabet
           "text\n\n\xe2\x80\x94 Pe+er x08go/ZJkuA=\n",
           "text\n\n\xe2\x80\x94  x08go/ZJkuA=\n",
           "text\n\n\xe2\x80\x94 Peter x08go/ZJkuA= \n",
           "text\n\n" + line + "\n" + "rest"}) {
    EXPECT_EQ(code_of(parse_note(bad)), Code::kMalformed) << bad;
  }
}

TEST(Note, TextMayHoldWhatLooksLikeASignature) {
  const std::string line(kGoNote.substr(kGoNote.find("\n\n") + 2));
  const auto note = parse_note("a\n\n" + line + "\n" + line);
  ASSERT_TRUE(note);
  EXPECT_EQ(note->text, "a\n\n" + line);
  EXPECT_EQ(note->signatures.size(), 1U);
}

TEST(Note, ManySignaturesOfUnknownKeysAreIgnored) {
  const auto ours = key_of(1);
  const auto vkey = make_verifier_key("example.com/log", ours.public_key()).value();
  Note note{"text\n", {}};
  for (std::uint8_t i = 0; i < 8; ++i) {
    ASSERT_TRUE(sign_note(note, "witness.example/" + std::to_string(i), key_of(10 + i)));
  }
  EXPECT_EQ(code_of(verify_note(note, vkey)), Code::kNotFound);
  // Shares the name but not the id, and the id but not the name; both nonsense, both ignored.
  note.signatures.push_back({vkey.name, vkey.key_id + 1, Bytes(64)});
  note.signatures.push_back({"other.example", vkey.key_id, Bytes(64)});
  note.signatures.push_back({"sm2.example", 7, Bytes(2500, 0xff)});
  EXPECT_EQ(code_of(verify_note(note, vkey)), Code::kNotFound);
  ASSERT_TRUE(sign_note(note, "example.com/log", ours));
  while (note.signatures.size() < 16) {
    ASSERT_TRUE(
        sign_note(note, "late.example/" + std::to_string(note.signatures.size()), key_of(99)));
  }
  const auto read = parse_note(format_note(note));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, note);
  EXPECT_TRUE(verify_note(*read, vkey));
  // One bad signature under our own name and id spoils the note, before or behind the good one.
  auto bad = *read;
  bad.signatures.push_back({vkey.name, vkey.key_id, Bytes(64)});
  EXPECT_EQ(code_of(verify_note(bad, vkey)), Code::kNotAuthentic);
  std::swap(bad.signatures.front(), bad.signatures.back());
  EXPECT_EQ(code_of(verify_note(bad, vkey)), Code::kNotAuthentic);
}

TEST(Note, LimitsAndOnePast) {
  Note note{"text\n", {}};
  for (std::size_t i = 0; i < kNoteSignaturesMax; ++i) {
    note.signatures.push_back({"a", 1, Bytes(1)});
  }
  EXPECT_TRUE(parse_note(format_note(note)));
  note.signatures.push_back({"a", 1, Bytes(1)});
  EXPECT_EQ(code_of(parse_note(format_note(note))), Code::kTooLarge);
  note.signatures.resize(1);
  note.text.clear();
  const std::size_t rest = format_note(note).size();
  note.text = std::string(kNoteBytesMax - rest - 1, 'x') + "\n";
  EXPECT_TRUE(parse_note(format_note(note)));
  note.text.insert(0, "x");
  EXPECT_EQ(code_of(parse_note(format_note(note))), Code::kTooLarge);
}

TEST(Note, SigningRefusesWhatCouldNotBeRead) {
  for (const char* text : {"", "no newline", "tab\t\n", "bad \xff\n"}) {
    Note note{text, {}};
    EXPECT_EQ(code_of(sign_note(note, "name", key_of(1))), Code::kMalformed);
    EXPECT_TRUE(note.signatures.empty());
  }
  Note note{"text\n", {}};
  EXPECT_EQ(code_of(sign_note(note, "a name", key_of(1))), Code::kMalformed);
}

TEST(Note, AnyChangeOfAnyByteIsRefused) {
  const auto key = parse_verifier_key(kGoKey).value();
  EXPECT_TRUE(rc::check("one byte", [&] {
    std::string raw(kGoNote);
    const auto at = *rc::gen::inRange<std::size_t>(0, raw.size());
    const auto flip = *rc::gen::inRange(1, 256);
    raw[at] = static_cast<char>(static_cast<std::uint8_t>(raw[at]) ^ flip);
    const auto note = parse_note(raw);
    RC_ASSERT(!note || !verify_note(*note, key));
  }));
}

}  // namespace
}  // namespace theriac::tlog
