// The folder side alone: the server cannot be reached, the stock was put there by the test.
#include "line/station.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/files.hpp"
#include "codec/json.hpp"
#include "crypto/random.hpp"
#include "crypto/testing.hpp"
#include "line/program.hpp"
#include "pki/sealed_file.hpp"

namespace theriac::line {
namespace {

using codec::Json;
namespace fs = std::filesystem;

constexpr std::int64_t kHour = 3'600'000;
constexpr const char* kGtin = "09506000134352";

class StationTest : public ::testing::Test {
 protected:
  StationTest() {
    const auto authority = pki::Authority::create("test", clock_.wall_ms(), random_);
    for (const auto* name : {"line-1", "line-2"}) {
      const auto folder = root_ / name;
      fs::create_directories(folder);
      const auto key = pki::PrivateKey::generate();
      const auto certificate =
          authority.issue({name, pki::Role::kTraceLine, "demo"}, key, clock_.wall_ms(), random_);
      write(folder / "cert.pem", certificate->to_pem());
      write(folder / "ca.pem", authority.certificate().to_pem());
      THERIAC_ASSERT(pki::replace_credentials(pki::CredentialPaths::in(folder),
                                              certificate->to_pem(),
                                              TestSecretAccess::bytes(key.to_pem()))
                         .has_value());
    }
    config_.server = {.host = "127.0.0.1", .port = 1, .unix_path = {}};
    config_.cert = root_ / "line-1";
    config_.server_ca = root_ / "line-1/ca.pem";
    config_.folder = root_ / "floor";
    config_.gln = "9506000140018";
    config_.settle_ms = 0;
    config_.patience_ms = 0;
    start();
  }
  ~StationTest() override {
    station_.reset();
    uplink_.reset();
    fs::remove_all(root_);
  }

  /// As after a kill: nothing is kept but what is on the disk.
  Status try_start() {
    station_.reset();
    uplink_.reset();
    THERIAC_ASSIGN(auto folders, Folders::make(config_.folder));
    folders_ = std::make_unique<Folders>(std::move(folders));
    THERIAC_ASSIGN(auto holder, Holder::load(config_.cert));
    holder_ = std::make_unique<Holder>(std::move(holder));
    THERIAC_ASSIGN(uplink_, Uplink::make({.config = &config_,
                                          .holder = holder_.get(),
                                          .folders = folders_.get(),
                                          .clock = &clock_,
                                          .random = &random_,
                                          .log = &log_}));
    THERIAC_ASSIGN(station_, Station::make({.config = &config_,
                                            .holder = holder_.get(),
                                            .folders = folders_.get(),
                                            .uplink = uplink_.get(),
                                            .clock = &clock_,
                                            .random = &random_,
                                            .log = &log_}));
    return {};
  }
  void start() {
    const auto started = try_start();
    ASSERT_TRUE(started) << started.error().message();
  }

  static void write(const fs::path& path, std::string_view text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  static std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  fs::path floor(const std::string& path) const { return root_ / "floor" / path; }
  std::vector<std::string> names(const std::string& folder) const {
    std::vector<std::string> all;
    for (const auto& one : fs::directory_iterator(floor(folder))) {
      all.push_back(one.path().filename());
    }
    std::ranges::sort(all);
    return all;
  }

  Book book() {
    auto opened = Book::open(config_.path("state/line.db"));
    THERIAC_ASSERT(opened.has_value());
    return std::move(*opened);
  }
  /// Numbers S0000, S0001, … of a new allocation.
  void stock(std::int64_t allocation, int count) {
    auto serials = Json::array();
    for (int i = 0; i < count; ++i) serials.push_back(fmt::format("A{}S{:04}", allocation, i));
    const auto sealed = holder_->seal(Json{{"serials", serials}}.dump());
    auto kept = book();
    const auto lot = kept.lot(kGtin, "LOT1A");
    ASSERT_TRUE(kept.add_stock(
        {allocation, lot->id, count, 0, clock_.wall_ms(), clock_.wall_ms() + 24 * kHour}, *sealed));
  }
  void drop(const std::string& name, const Json& order) {
    write(floor("in/" + name), order.dump());
  }
  static Json order(const char* ask) { return {{"ask", ask}, {"gtin", kGtin}, {"lot", "LOT1A"}}; }
  static Json numbers(int count) {
    auto json = order("numbers");
    json["count"] = count;
    return json;
  }
  static Json report(const char* act, const std::vector<std::string>& serials) {
    auto json = order("report");
    json["events"] = Json::array({{{"act", act}, {"serials", serials}}});
    return json;
  }
  void look() {
    // A request that cannot be answered waits for one look.
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(station_->look());
  }
  std::vector<std::string> answer(const std::string& name) {
    return Json::parse(read(floor("out/" + name))).at("serials");
  }
  std::string reason(const std::string& name) const {
    for (const auto& one : names("refused")) {
      if (one.starts_with(name) && one.ends_with(".txt")) {
        const auto text = read(floor("refused/" + one));
        return text.substr(0, text.find('\n'));
      }
    }
    return "not refused";
  }
  /// The calls that wait, opened.
  std::vector<Json> waiting() {
    auto kept = book();
    std::vector<Json> calls;
    for (;;) {
      const auto row = kept.first_waiting();
      if (!*row) return calls;
      calls.push_back(Json::parse(*holder_->open((*row)->sealed)));
      EXPECT_TRUE(kept.remove_waiting((*row)->seq));
    }
  }

  fs::path root_ = fs::temp_directory_path() /
                   fmt::format("theriac-line-{}-{}", ::getpid(),
                               ::testing::UnitTest::GetInstance()->current_test_info()->name());
  ManualClock clock_{1'795'000'000'000};
  crypto::SystemRandom random_;
  NullLog log_;
  Config config_;
  std::unique_ptr<Folders> folders_;
  std::unique_ptr<Holder> holder_;
  std::unique_ptr<Uplink> uplink_;
  std::unique_ptr<Station> station_;
};

TEST_F(StationTest, AnswersFromTheStockAndNoNumberTwice) {
  stock(1, 5);
  stock(2, 5);
  drop("1.json", numbers(3));
  drop("2.json", numbers(4));
  drop("3.json", numbers(4));
  look();
  EXPECT_EQ(answer("1.json"), (std::vector<std::string>{"A1S0000", "A1S0001", "A1S0002"}));
  EXPECT_EQ(answer("2.json"),
            (std::vector<std::string>{"A1S0003", "A1S0004", "A2S0000", "A2S0001"}));
  EXPECT_EQ(reason("3.json"), "StockEmpty");
  EXPECT_TRUE(names("in").empty());
  EXPECT_EQ(names("done").size(), 2U);
  const auto shown = status(config_, clock_.wall_ms());
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->at("lots")[0].at("left"), 3);
  EXPECT_EQ(shown->dump().find("A1S"), std::string::npos);
}

TEST_F(StationTest, AKillBetweenAnyTwoStepsGivesEachAnswerOnce) {
  stock(1, 10);
  drop("1.json", numbers(2));
  look();
  const auto first = answer("1.json");
  auto kept = book();
  const auto mark = kept.answers_out()->front().mark;
  const auto again = [&](AnswerState state) {
    ASSERT_TRUE(kept.set_answer(mark, state));
    drop("1.json", numbers(2));
    start();
    look();
    EXPECT_TRUE(names("in").empty());
  };
  // Before the answer was written.
  fs::remove(floor("out/1.json"));
  again(AnswerState::kDrawn);
  EXPECT_EQ(answer("1.json"), first);
  // It was written and not renamed.
  fs::rename(floor("out/1.json"), floor("out/.1.json.part"));
  again(AnswerState::kWritten);
  EXPECT_EQ(answer("1.json"), first);
  // It was renamed and the line took it.
  fs::remove(floor("out/1.json"));
  again(AnswerState::kWritten);
  EXPECT_TRUE(names("out").empty());
  again(AnswerState::kDone);
  EXPECT_TRUE(names("out").empty());
  // The next gets others.
  drop("2.json", numbers(2));
  look();
  EXPECT_EQ(answer("2.json"), (std::vector<std::string>{"A1S0002", "A1S0003"}));
}

TEST_F(StationTest, ReportsWaitSealedInTheirOrderAndOnce) {
  stock(1, 4);
  drop("1.json", numbers(4));
  look();
  const auto serials = answer("1.json");
  drop("2.json", report("commission", {serials[0], serials[1]}));
  drop("3.json", report("reject", {serials[2]}));
  look();
  EXPECT_EQ(names("out").size(), 1U) << "one number is not reported yet";
  drop("4.json", report("return", {serials[3]}));
  look();
  EXPECT_TRUE(names("out").empty()) << "all of the answer's numbers were reported";
  drop("4.json", report("return", {serials[3]}));
  look();
  for (const auto& one : fs::recursive_directory_iterator(root_ / "floor")) {
    if (one.is_regular_file()) EXPECT_EQ(read(one.path()).find("A1S0"), std::string::npos);
  }
  const auto calls = waiting();
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(calls[0].at("act"), "commission");
  EXPECT_EQ(calls[0].at("items")[1], link_of(kGtin, serials[1]));
  EXPECT_EQ(calls[0].at("when"), clock_.wall_ms());
  EXPECT_EQ(calls[1].at("act"), "decommission");
  EXPECT_EQ(calls[2].at("return"), 1);
  EXPECT_EQ(calls[2].at("serials"), Json({serials[3]}));
  drop("5.json", report("return", {"A1S9999"}));
  look();
  EXPECT_EQ(reason("5.json"), "NotOurs");
}

TEST_F(StationTest, ALotThatIsClosedGivesItsStockBack) {
  stock(1, 5);
  drop("1.json", numbers(2));
  drop("2.json", order("close"));
  drop("3.json", numbers(1));
  look();
  EXPECT_EQ(reason("3.json"), "StockEmpty");
  const auto calls = waiting();
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].at("serials"), Json({"A1S0002", "A1S0003", "A1S0004"}));
}

TEST_F(StationTest, AnOldStockAndAClockThatWasSetBackGiveNothing) {
  stock(1, 5);
  clock_.advance_ms(24 * kHour - 1);
  drop("1.json", numbers(1));
  look();
  EXPECT_EQ(answer("1.json").size(), 1U);
  clock_.advance_ms(1);
  drop("2.json", numbers(1));
  look();
  EXPECT_EQ(reason("2.json"), "StockTooOld");
  clock_.set_wall_ms(clock_.wall_ms() - 12 * kHour);
  drop("3.json", numbers(1));
  look();
  EXPECT_EQ(reason("3.json"), "ClockMoved");
}

TEST_F(StationTest, AnotherKeyOpensNothing) {
  stock(1, 5);
  config_.cert = root_ / "line-2";
  EXPECT_EQ(try_start().error().code, Code::kNotAuthentic);
}

TEST_F(StationTest, AStockThatWasAlteredGivesNothingAndStopsNothingElse) {
  auto kept = book();
  const auto lot = kept.lot(kGtin, "LOT1A");
  auto sealed = *holder_->seal(R"({"serials":["A","B"]})");
  sealed[sealed.size() - 20] ^= 1U;
  ASSERT_TRUE(
      kept.add_stock({1, lot->id, 2, 0, clock_.wall_ms(), clock_.wall_ms() + kHour}, sealed));
  drop("1.json", numbers(1));
  look();
  EXPECT_EQ(reason("1.json"), "StockEmpty");
  drop("2.json", report("commission", {"A"}));
  look();
  EXPECT_EQ(waiting().size(), 1U);
}

TEST_F(StationTest, AFileIsLeftUntilItIsWhole) {
  config_.settle_ms = 500;
  stock(1, 5);
  write(floor("in/1.json"), "{");
  ASSERT_TRUE(station_->look());
  clock_.advance_ms(499);
  drop("1.json", numbers(1));
  ASSERT_TRUE(station_->look());
  clock_.advance_ms(499);
  ASSERT_TRUE(station_->look());
  EXPECT_EQ(names("in").size(), 1U);
  drop(".hidden.json", numbers(1));
  drop("2.json.tmp", numbers(1));
  clock_.advance_ms(1);
  ASSERT_TRUE(station_->look());
  EXPECT_EQ(answer("1.json").size(), 1U);
  EXPECT_EQ(names("in"), (std::vector<std::string>{".hidden.json", "2.json.tmp"}));
}

}  // namespace
}  // namespace theriac::line
