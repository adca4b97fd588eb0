// The attacks that the log is there to show, made on real files by somebody who owns them.
#include <set>

#include "audit/entry.hpp"
#include "audit/test_support.hpp"

namespace theriac::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSize = 700;  // two full bundles and a partial one
constexpr std::uint64_t kEdited = 412;

/// What an attacker who understands the formats can do to a copy of a log.
class Attacker {
 public:
  Attacker(std::string directory, std::uint64_t size)
      : directory_(std::move(directory)), entries_(entries_of(directory_, size)) {}

  std::vector<std::string>& entries() { return entries_; }

  /// Only the bundles, nothing above them.
  void write_bundles() const {
    for (std::uint64_t index = 0; index * tlog::kTileWidth < entries_.size(); ++index) {
      const unsigned width = tlog::tile_width(0, index, entries_.size());
      Bytes bundle;
      for (unsigned i = 0; i < width; ++i) {
        EXPECT_TRUE(tlog::put_bundle_entry(bundle, view_of(entries_[index * 256 + i])));
      }
      put(tlog::bundle_path(index, width), text_of(bundle));
    }
  }
  /// Tiles of the levels below `levels`, made again out of the entries.
  void write_tiles(unsigned levels = 99) const {
    for (const auto& tile : tlog::tiles_between(0, entries_.size())) {
      if (tile.level >= levels) continue;
      const std::uint64_t first = tile.index * tlog::kTileWidth;
      std::vector<tlog::Digest> hashes;
      for (std::uint64_t i = first; i < first + tile.width; ++i)
        hashes.push_back(node(tile.level, i));
      put(tlog::tile_path(tile), text_of(tlog::tile_bytes(hashes)));
    }
  }
  /// Previous hashes and sequences of all entries from `from` on.
  void rechain(std::uint64_t from) {
    for (std::uint64_t i = from; i < entries_.size(); ++i) {
      auto json = codec::parse_json(entries_[i]).value();
      json["prev"] =
          i == 0 ? to_hex(tlog::Digest{}) : to_hex(tlog::leaf_hash(view_of(entries_[i - 1])));
      json["producer_seq"] = i;
      entries_[i] = codec::canonical_json(json);
    }
  }
  [[nodiscard]] tlog::Checkpoint checkpoint() const {
    std::vector<tlog::Digest> leaves;
    for (const auto& entry : entries_) leaves.push_back(tlog::leaf_hash(view_of(entry)));
    return {kOrigin, entries_.size(), tlog::tree_hash(leaves), {}};
  }
  void sign(std::uint8_t key) const {
    put("checkpoint", tlog::sign_checkpoint(checkpoint(), test_key(key)).value());
  }
  /// Removes everything that a log of this size would not have.
  void remove_leftovers() const {
    std::set<std::string> wanted;
    for (const auto& tile : tlog::tiles_between(0, entries_.size())) {
      wanted.insert(directory_ + "/" + tlog::tile_path(tile));
      if (tile.level == 0) {
        wanted.insert(directory_ + "/" + tlog::bundle_path(tile.index, tile.width));
      }
    }
    for (const auto& entry : fs::recursive_directory_iterator(directory_ + "/tile")) {
      if (entry.is_regular_file() && !wanted.contains(entry.path())) fs::remove(entry.path());
    }
  }
  void put(const std::string& name, std::string_view text) const {
    fs::create_directories(fs::path(directory_ + "/" + name).parent_path());
    write_text(directory_ + "/" + name, text);
  }

 private:
  [[nodiscard]] tlog::Digest node(unsigned level, std::uint64_t index) const {
    std::vector<tlog::Digest> leaves;
    const std::uint64_t width = std::uint64_t{1} << (8 * level);
    for (std::uint64_t i = index * width; i < (index + 1) * width; ++i) {
      leaves.push_back(tlog::leaf_hash(view_of(entries_[i])));
    }
    return tlog::tree_hash(leaves);
  }
  std::string directory_;
  std::vector<std::string> entries_;
};

class Attack : public ::testing::Test {
 protected:
  // One honest log for all; each attack works on its own copy.
  static void SetUpTestSuite() {
    dir_ = new ScratchDir;
    World world;
    auto log = world.open(honest()).value();
    for (std::uint64_t i = 0; i < kSize; ++i) {
      ASSERT_TRUE(log->append(event_of(i)));
      if (i == 299) {
        ASSERT_TRUE(log->flush());
        kept_ = new std::string(read_text(honest() + "/checkpoint"));
        fs::copy(honest(), *dir_ / "at300", fs::copy_options::recursive);
      }
    }
    log.reset();
    ASSERT_TRUE(verdict_of(honest()).holds);
    ASSERT_TRUE(verdict_of(honest(), remembered()).holds);
  }
  static void TearDownTestSuite() {
    delete kept_;
    delete dir_;
  }
  void SetUp() override {
    path_ = *dir_ / "attacked";
    fs::remove_all(path_);
    fs::copy(honest(), path_, fs::copy_options::recursive);
  }
  static std::string honest() { return *dir_ / "honest"; }
  static Remembered remembered() { return {*kept_}; }

  /// The verdict does not hold, with that finding and entry; and nobody goes on writing to it.
  void expect_found(const std::string& finding, std::optional<std::uint64_t> entry,
                    const std::optional<Remembered>& with = std::nullopt, bool opens = false) {
    const auto verdict = verdict_of(path_, with);
    EXPECT_FALSE(verdict.holds);
    EXPECT_EQ(verdict.finding, finding) << verdict.explanation;
    EXPECT_EQ(verdict.bad_entry, entry) << verdict.explanation;
    World world;
    const auto log = world.open(path_);
    EXPECT_EQ(log.has_value(), opens);
    if (!log) EXPECT_EQ(log.error().code, Code::kLogTampered);
  }
  void expect_holds(const std::optional<Remembered>& with = std::nullopt) {
    const auto verdict = verdict_of(path_, with);
    EXPECT_TRUE(verdict.holds) << verdict.explanation;
  }
  [[nodiscard]] Attacker attacker() const { return {path_, kSize}; }
  static void edit(Attacker& attacker, std::uint64_t entry) {
    std::string& text = attacker.entries().at(entry);
    const auto at = text.find("erp_app");
    ASSERT_NE(at, std::string::npos);
    text.replace(at, 7, "nobody!");
  }

  std::string path_;
  static inline ScratchDir* dir_ = nullptr;
  static inline std::string* kept_ = nullptr;
};

TEST_F(Attack, EntryEditedHashesUntouched) {
  for (const std::uint64_t entry : {0U, 255U, 256U, 412U, 699U}) {
    SetUp();
    auto attack = attacker();
    edit(attack, entry);
    attack.write_bundles();
    expect_found("edited", entry);
  }
}

TEST_F(Attack, EveryByteOfAnEntryCounts) {
  const std::string bundle = path_ + "/tile/entries/002.p/188";
  const std::string good = read_text(bundle);
  for (std::size_t at = 0; at < 400; ++at) {
    std::string bad = good;
    bad[at] ^= 0x20;
    write_text(bundle, bad);
    const auto verdict = verdict_of(path_);
    EXPECT_FALSE(verdict.holds) << at;
    ASSERT_TRUE(verdict.bad_entry) << at;
    EXPECT_LE(*verdict.bad_entry, 513U);
  }
}

TEST_F(Attack, EntryEditedTileMadeAgain) {
  auto attack = attacker();
  edit(attack, kEdited);
  attack.write_bundles();
  attack.write_tiles(1);
  // The next entry remembers the hash of the one that was there.
  expect_found("previous hash does not match", kEdited);
}

TEST_F(Attack, EntryEditedAllTilesMadeAgain) {
  auto attack = attacker();
  edit(attack, kEdited);
  attack.write_bundles();
  attack.write_tiles();
  expect_found("previous hash does not match", kEdited);
}

TEST_F(Attack, EntryEditedChainMadeAgainTilesForgotten) {
  auto attack = attacker();
  edit(attack, kEdited);
  attack.rechain(kEdited + 1);
  attack.write_bundles();
  expect_found("edited", kEdited);
}

TEST_F(Attack, EntryEditedChainAndLowestTilesMadeAgain) {
  auto attack = attacker();
  edit(attack, kEdited);
  attack.rechain(kEdited + 1);
  attack.write_bundles();
  attack.write_tiles(1);
  expect_found("edited", 256);  // the level above knows entries 256 to 511 otherwise
}

TEST_F(Attack, EverythingMadeAgainButTheCheckpoint) {
  auto attack = attacker();
  edit(attack, kEdited);
  attack.rechain(kEdited + 1);
  attack.write_bundles();
  attack.write_tiles();
  expect_found("edited", std::nullopt);
}

TEST_F(Attack, EverythingMadeAgainAndSignedWithAnotherKey) {
  auto attack = attacker();
  edit(attack, kEdited);
  attack.rechain(kEdited + 1);
  attack.write_bundles();
  attack.write_tiles();
  attack.sign(66);
  expect_found("bad signature", std::nullopt);
  // With the log's own key file replaced too, the log agrees with itself: whoever kept the key or a
  // checkpoint sees it.
  attack.put("log.vkey", test_vkey(66) + "\n");
  expect_found("bad signature", std::nullopt);
  const auto alone = verify_path(path_, "", std::nullopt).value();
  EXPECT_TRUE(alone.holds);
  EXPECT_NE(alone.explanation.find("log.vkey"), std::string::npos);
  const auto kept = verify_path(path_, "", remembered()).value();
  EXPECT_FALSE(kept.holds);
  EXPECT_EQ(kept.finding, "other key");
}

TEST_F(Attack, EverythingMadeAgainAndSignedWithTheStolenKey) {
  auto attack = attacker();
  edit(attack, 100);
  attack.rechain(101);
  attack.write_bundles();
  attack.write_tiles();
  attack.remove_leftovers();
  attack.sign(7);
  // Nothing within the files can show it; a remembered checkpoint does.
  expect_holds();
  expect_found("forked", std::nullopt, remembered(), true);
}

TEST_F(Attack, StolenKeyCannotHideBehindOldPartialTiles) {
  // The tile 1/000 of the checkpoint over 300 entries is still there.
  ASSERT_TRUE(fs::exists(path_ + "/tile/1/000.p/1"));
  auto attack = attacker();
  edit(attack, 100);
  attack.rechain(101);
  attack.write_bundles();
  attack.write_tiles();
  fs::copy_file(honest() + "/tile/1/000.p/1", path_ + "/tile/1/000.p/1",
                fs::copy_options::overwrite_existing);
  attack.sign(7);
  expect_found("edited", 0);  // entries 0 to 255, says the explanation
}

TEST_F(Attack, CheckpointTextEdited) {
  std::string note = read_text(path_ + "/checkpoint");
  note.replace(note.find("\n700\n"), 5, "\n699\n");
  write_text(path_ + "/checkpoint", note);
  expect_found("bad signature", std::nullopt);
}

TEST_F(Attack, CheckpointIsNotACheckpoint) {
  for (const char* text : {"", "nonsense", "a\n1\nb\n"}) {
    write_text(path_ + "/checkpoint", text);
    expect_found("bad signature", std::nullopt);
  }
}

TEST_F(Attack, EntryTakenOut) {
  auto attack = attacker();
  attack.entries().erase(attack.entries().begin() + kEdited);
  attack.entries().push_back(attack.entries().back());  // so that the files stay
  attack.write_bundles();
  expect_found("cut", kEdited);
}

TEST_F(Attack, EntryTakenOutTilesMadeAgain) {
  auto attack = attacker();
  attack.entries().erase(attack.entries().begin() + kEdited);
  attack.write_bundles();
  attack.write_tiles();
  attack.remove_leftovers();
  attack.sign(7);
  expect_found("gap in producer sequence", kEdited);
}

TEST_F(Attack, EntryTakenOutChainMadeAgain) {
  auto attack = attacker();
  attack.entries().erase(attack.entries().begin() + kEdited);
  attack.rechain(kEdited);
  attack.write_bundles();
  attack.write_tiles();
  attack.remove_leftovers();
  attack.sign(66);
  expect_found("bad signature", std::nullopt);
}

TEST_F(Attack, EntryPutIn) {
  auto attack = attacker();
  attack.entries().insert(attack.entries().begin() + kEdited, attack.entries()[kEdited - 1]);
  attack.write_bundles();
  attack.write_tiles();
  attack.remove_leftovers();
  attack.sign(7);
  expect_found("producer sequence repeats", kEdited);
}

TEST_F(Attack, EntriesSwapped) {
  auto attack = attacker();
  std::swap(attack.entries()[kEdited], attack.entries()[kEdited + 1]);
  attack.write_bundles();
  expect_found("cut", kEdited);  // the next one stands in its place
  attack.write_tiles();
  attack.sign(7);
  expect_found("gap in producer sequence", kEdited);
}

TEST_F(Attack, SomethingThatIsNoEntry) {
  auto attack = attacker();
  attack.entries()[kEdited] = "{\"action\":\"x\"}";
  attack.write_bundles();
  attack.write_tiles();
  attack.sign(7);
  expect_found("edited", kEdited);
}

TEST_F(Attack, TailCutOff) {
  // Of the last bundle, in the middle of an entry and between two.
  const std::string bundle = path_ + "/tile/entries/002.p/188";
  const std::string good = read_text(bundle);
  write_text(bundle, good.substr(0, good.size() - 5));
  expect_found("cut", 699);
  write_text(bundle, "");
  expect_found("cut", 512);
  fs::remove(bundle);
  expect_found("cut", 512);
  fs::remove(path_ + "/tile/entries/001");
  expect_found("cut", 256);
}

TEST_F(Attack, SomethingAddedBehindTheLastEntry) {
  const std::string bundle = path_ + "/tile/entries/002.p/188";
  write_text(bundle, read_text(bundle) + std::string("\0\2{}", 4));
  expect_found("edited", 700);
}

TEST_F(Attack, TailCutOffCleanlyWithoutTheKey) {
  auto attack = attacker();
  attack.entries().resize(600);
  attack.write_bundles();
  attack.write_tiles();
  attack.remove_leftovers();
  expect_found("cut", 512);  // the checkpoint still speaks of 700
  attack.sign(66);
  expect_found("bad signature", std::nullopt);
}

TEST_F(Attack, TilesEditedCutOrMissing) {
  const auto attack_file = [&](const std::string& name,
                               const std::function<void(std::string&)>& act,
                               const std::string& finding, std::uint64_t entry) {
    SetUp();
    std::string text = read_text(path_ + "/" + name);
    act(text);
    write_text(path_ + "/" + name, text);
    expect_found(finding, entry);
  };
  const auto flip = [](std::size_t at) { return [at](std::string& text) { text.at(at) ^= 1; }; };
  const auto cut = [](std::string& text) { text.pop_back(); };
  attack_file("tile/0/000", flip(0), "edited", 0);
  attack_file("tile/0/001", flip(8191), "edited", 511);
  attack_file("tile/0/002.p/188", flip(5 * 32), "edited", 517);
  attack_file("tile/0/001", cut, "cut", 256);
  attack_file("tile/1/000.p/2", flip(3), "edited", 0);
  attack_file("tile/1/000.p/2", flip(32), "edited", 256);
  attack_file("tile/1/000.p/2", cut, "cut", 0);
  for (const auto& [name, entry] :
       {std::pair{"tile/0/000", 0U}, {"tile/0/002.p/188", 512U}, {"tile/1/000.p/2", 0U}}) {
    SetUp();
    fs::remove(path_ + "/" + name);
    expect_found("cut", entry);
  }
}

TEST_F(Attack, RolledBackToAnOlderCopy) {
  const std::string newest = read_text(path_ + "/checkpoint");
  fs::remove_all(path_);
  fs::copy(*dir_ / "at300", path_, fs::copy_options::recursive);
  // An older copy is a good log: only who remembers a later checkpoint can tell.
  expect_holds();
  expect_holds(remembered());
  expect_found("rolled back", 300, Remembered{newest}, true);
}

TEST_F(Attack, OnlyTheCheckpointRolledBack) {
  write_text(path_ + "/checkpoint", *kept_);
  const auto verdict = verdict_of(path_);
  EXPECT_FALSE(verdict.holds);
  EXPECT_EQ(verdict.finding, "rolled back");
  EXPECT_EQ(verdict.bad_entry, 300U);
}

TEST_F(Attack, TwoHistoriesFromOnePoint) {
  // Both were written by the log's own key, from the same copy on.
  World world;
  const std::string other = *dir_ / "other";
  fs::remove_all(other);
  fs::copy(*dir_ / "at300", other, fs::copy_options::recursive);
  {
    auto log = world.open(other).value();
    for (std::uint64_t i = 0; i < kSize; ++i) ASSERT_TRUE(log->append(event_of(9000 + i)));
  }
  EXPECT_TRUE(verdict_of(other).holds);
  EXPECT_TRUE(verdict_of(other, remembered()).holds);
  const Remembered seen_there{read_text(other + "/checkpoint")};
  EXPECT_TRUE(verdict_of(other, seen_there).holds);
  // The shorter history cannot hold the longer one's checkpoint, the longer one knows it is forked.
  expect_found("rolled back", 700, seen_there, true);
  const Remembered seen_here{read_text(honest() + "/checkpoint")};
  const auto verdict = verdict_of(other, seen_here);
  EXPECT_FALSE(verdict.holds);
  EXPECT_EQ(verdict.finding, "forked");
}

TEST_F(Attack, RememberedCheckpointIsNoneOrEdited) {
  expect_found("bad signature", std::nullopt, Remembered{"nonsense"}, true);
  std::string note = *kept_;
  note.replace(note.find("\n300\n"), 5, "\n301\n");
  expect_found("bad signature", std::nullopt, Remembered{note}, true);
}

TEST_F(Attack, EvidenceDestroyed) {
  fs::remove(path_ + "/checkpoint");
  expect_found("cut", std::nullopt);
  fs::remove_all(path_ + "/tile");
  fs::remove_all(path_ + "/wal");
  EXPECT_EQ(verify_path(path_, test_vkey(), std::nullopt).error().code, Code::kNotFound);
  EXPECT_EQ(verify_path(path_ + "/none", "", std::nullopt).error().code, Code::kNotFound);
}

TEST_F(Attack, KeyFileReplacedOrSpoilt) {
  write_text(path_ + "/log.vkey", "nonsense\n");
  const auto verdict = verify_path(path_, "", std::nullopt).value();
  EXPECT_FALSE(verdict.holds);
  EXPECT_EQ(verdict.finding, "bad signature");
  World world;
  EXPECT_EQ(world.open(path_).error().code, Code::kLogTampered);
  EXPECT_EQ(verify_path(path_, "nonsense", std::nullopt).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace theriac::audit
