// Tests that run on both engines: each test has an empty database of its own, on PostgreSQL in a
// database whose own order of texts is not that of the bytes. For tests, never part of the library.
//
// Threading: one thread.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/private_postgres.hpp"
#include "store/engine.hpp"
#include "store/pg.hpp"

namespace theriac::store {

class EngineTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (of_postgresql() && !PrivatePostgres::get().runs()) GTEST_SKIP();
    if (of_postgresql()) {
      options_.where = english_database();
      options_.schema_name = "test_" + std::to_string(++schemas_);
    } else {
      std::string name = "/tmp/theriac-engine-XXXXXX";
      ASSERT_NE(::mkdtemp(name.data()), nullptr);
      folder_ = name;
      options_.where = "sqlite:" + folder_ + "/db";
    }
    options_.partitions = 4;
  }
  void TearDown() override {
    sessions_.clear();
    engine_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  [[nodiscard]] static bool of_postgresql() { return GetParam() == "postgresql"; }
  [[nodiscard]] std::string path() const { return folder_ + "/db"; }

  Session& open(std::string_view schema) {
    steps_ = {schema};
    auto opened = open_engine(options_, steps_);
    EXPECT_TRUE(opened) << opened.error().message();
    engine_ = std::move(*opened);
    return connect();
  }
  Session& connect() {
    auto connected = engine_->connect();
    EXPECT_TRUE(connected) << connected.error().message();
    sessions_.push_back(std::move(*connected));
    return *sessions_.back();
  }

  /// All rows as text: "1|NULL|x'00ff'", columns as `types` says: i, t or b.
  static std::vector<std::string> texts(Result<std::unique_ptr<Rows>> rows,
                                        std::string_view types) {
    std::vector<std::string> out;
    if (!rows) return {rows.error().message()};
    while (true) {
      auto more = (*rows)->next();
      if (!more) out.push_back(more.error().message());
      if (!more || !*more) return out;
      std::string row;
      for (int i = 0; i < static_cast<int>(types.size()); ++i) {
        if (i > 0) row += '|';
        const char type = types[static_cast<std::size_t>(i)];
        if ((*rows)->is_null(i)) {
          row += "NULL";
        } else if (type == 'i') {
          row += std::to_string((*rows)->integer(i));
        } else if (type == 't') {
          row += (*rows)->text(i);
        } else {
          row += "x'" + to_hex((*rows)->bytes(i)) + "'";
        }
      }
      out.push_back(std::move(row));
    }
  }
  static std::int64_t integer(Session& session, std::string_view sql) {
    auto rows = session.query_all(sql);
    EXPECT_TRUE(rows) << rows.error().message();
    if (!rows || !*(*rows)->next()) return -1;
    return (*rows)->integer(0);
  }

  EngineOptions options_;
  std::array<std::string_view, 1> steps_{};
  std::unique_ptr<Engine> engine_;
  std::vector<std::unique_ptr<Session>> sessions_;

 private:
  static std::string english_database() {
    static const std::string conninfo = [] {
      auto link = PgConnection::open(PrivatePostgres::get().conninfo());
      EXPECT_TRUE(link && link->exec("CREATE DATABASE english TEMPLATE template0 ENCODING 'UTF8' "
                                     "LOCALE_PROVIDER icu ICU_LOCALE 'en'"));
      return pg_conninfo_for(PrivatePostgres::get().conninfo(), "english").value();
    }();
    return conninfo;
  }
  static inline int schemas_ = 0;
  std::string folder_;
};

/// The code of what must have failed.
Code code_of(const auto& result) {
  EXPECT_FALSE(result.has_value());
  return result ? Code::kUsage : result.error().code;
}

inline const auto kBothEngines = testing::Values("sqlite", "postgresql");
inline std::string name_of_engine(const testing::TestParamInfo<std::string>& info) {
  return info.param;
}

}  // namespace theriac::store
