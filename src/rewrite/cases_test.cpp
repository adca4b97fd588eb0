// Golden cases: testdata/*.sql.test. Each case is one "> SQL" line and the plan it must give.
// THERIAC_UPDATE=1 writes the plans that analyse() gives now into the files (and docs/sql.md): look
// at the difference before committing it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "rewrite/render_plan.hpp"
#include "rewrite/test_catalogue.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string section;
  std::string sql;
  std::string expected;
  int line = 0;
};

fs::path data_folder() { return fs::path(THERIAC_SOURCE_DIR) / "src/rewrite/testdata"; }

bool is_update() {
  const char* wanted = std::getenv("THERIAC_UPDATE");
  return wanted != nullptr && std::string_view(wanted) == "1";
}

std::vector<fs::path> files() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(data_folder())) {
    if (entry.path().string().ends_with(".sql.test")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<Case> read(const fs::path& path) {
  std::ifstream in(path);
  std::vector<Case> cases;
  std::string section;
  std::string line;
  int number = 0;
  while (std::getline(in, line)) {
    ++number;
    if (line.starts_with("## ")) {
      section = line.substr(3);
    } else if (line.starts_with("> ")) {
      cases.push_back({section, line.substr(2), {}, number});
    } else if (!line.empty() && !line.starts_with("#") && !cases.empty()) {
      cases.back().expected += line + "\n";
    }
  }
  return cases;
}

std::string run(const std::string& sql) {
  static const auto catalogue = testing::test_catalogue();
  return testing::plan_text(catalogue, analyse(sql, catalogue, Context{}));
}

void update(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  std::string line;
  bool in_plan = false;
  while (std::getline(in, line)) {
    if (line.starts_with("> ")) {
      out << line << "\n" << run(line.substr(2));
      in_plan = true;
    } else if (line.empty() || line.starts_with("#")) {
      in_plan = false;
      out << line << "\n";
    } else if (!in_plan) {
      out << line << "\n";
    }
  }
  in.close();
  std::ofstream(path) << out.str();
}

TEST(Cases, GivePlansAsWritten) {
  std::size_t count = 0;
  for (const auto& path : files()) {
    if (is_update()) update(path);
    for (const auto& one : read(path)) {
      ++count;
      EXPECT_EQ(run(one.sql), one.expected) << path.filename() << ":" << one.line << "\n"
                                            << one.sql;
    }
  }
  EXPECT_GE(count, 250U);
}

TEST(Cases, RewrittenTextParsesAgain) {
  const auto catalogue = testing::test_catalogue();
  std::size_t rewritten = 0;
  for (const auto& path : files()) {
    for (const auto& one : read(path)) {
      const auto plan = analyse(one.sql, catalogue, Context{});
      if (!plan) continue;
      for (const auto& statement : plan->statements) {
        google::protobuf::Arena arena;
        auto* tree = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
        if (!statement.sql.empty()) {
          ++rewritten;
          EXPECT_TRUE(parse(statement.sql, *tree)) << statement.sql;
        }
        if (statement.gather) {
          EXPECT_TRUE(parse(statement.gather->sql, *tree));
        }
      }
    }
  }
  EXPECT_GT(rewritten, 80U);
}

TEST(Cases, NoLiteralForAProtectedColumnStandsInRewrittenText) {
  // Every value in the cases that is addressed to a protected column says so.
  const auto catalogue = testing::test_catalogue();
  for (const auto& path : files()) {
    for (const auto& one : read(path)) {
      const auto plan = analyse(one.sql, catalogue, Context{});
      if (!plan) continue;
      for (const auto& statement : plan->statements) {
        if (statement.action == Action::kRefuse) continue;
        const auto& sent = statement.action == Action::kForward ? statement.text : statement.sql;
        EXPECT_EQ(sent.find("secret"), std::string::npos) << one.sql;
        if (statement.gather) {
          EXPECT_EQ(statement.gather->sql.find("secret"), std::string::npos) << one.sql;
        }
      }
    }
  }
}

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.replace(at, 1, "\\|");
  }
  return text;
}

/// One line of docs/sql.md: what happens, without the details of the plan.
std::string short_action(const std::string& expected) {
  std::istringstream in(expected);
  std::string out;
  std::string line;
  while (std::getline(in, line)) {
    std::string one;
    if (line.starts_with("forward")) one = "forwarded";
    if (line.starts_with("rewrite") || line.starts_with("gather")) one = "rewritten";
    if (line.starts_with("nothing")) one = "nothing to do";
    if (line.starts_with("error")) one = "answered here: " + line.substr(6);
    if (line.starts_with("refuse ")) {
      one = "refused (" + line.substr(7, 5) + "): " + line.substr(line.find(": ") + 2);
    }
    if (!one.empty()) out += (out.empty() ? "" : "; ") + one;
  }
  return out;
}

std::string document() {
  std::ostringstream out;
  out << "# SQL through the gateway: forwarded, rewritten, refused\n\n"
         "Made from the cases that the tests check (`src/rewrite/testdata`); a test compares this "
         "file\nwith them. The tables of the examples are in `src/rewrite/test_catalogue.hpp`: in "
         "`customers` the\ncolumns name, phone, id_number, credit, birth and status are protected, "
         "phone without search;\n`batches` (batch_no, recipe) binds values to rows; `orders` and "
         "`devices` are not protected.\n\n*Forwarded*: byte for byte. *Rewritten*: another text "
         "goes to the server, the program sees no\ndifference. *Refused*: an error with SQLSTATE, "
         "column and remedy; nothing reaches the server.\n";
  std::string section;
  for (const auto& path : files()) {
    for (const auto& one : read(path)) {
      if (one.section != section) {
        section = one.section;
        out << "\n## " << section << "\n\n| SQL | what happens |\n|---|---|\n";
      }
      out << "| `" << cell(one.sql) << "` | " << cell(short_action(one.expected)) << " |\n";
    }
  }
  return out.str();
}

TEST(Cases, DocumentIsCurrent) {
  const auto path = fs::path(THERIAC_SOURCE_DIR) / "docs/sql.md";
  if (is_update()) std::ofstream(path) << document();
  std::ifstream in(path);
  std::stringstream there;
  there << in.rdbuf();
  EXPECT_EQ(there.str(), document()) << "run rewrite_test with THERIAC_UPDATE=1";
}

}  // namespace
}  // namespace theriac::rewrite
