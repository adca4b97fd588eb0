// Random commands to an engine and to a map in memory: what the one says, the other says.
#include <rapidcheck.h>
#include <array>
#include <map>

#include "store/engine_fixture.hpp"

namespace theriac::store {
namespace {

using Names = std::vector<std::string_view>;

constexpr std::string_view kSchema =
    "CREATE TABLE item(id BYTES PRIMARY KEY, n INT, s TEXT, CHECK (n <> 13)) "
    "CLUSTERED PARTITIONED(id); CREATE INDEX item_n ON item(n);";

struct Item {
  std::optional<std::int64_t> n;
  std::optional<std::string> s;
  friend bool operator==(const Item&, const Item&) = default;
};
using Model = std::map<Bytes, Item>;
using Row = std::pair<Bytes, Item>;

Param param(const std::optional<std::int64_t>& n) { return n ? Param(*n) : Param(); }
Param param(const std::optional<std::string>& s) {
  return s ? Param(std::string_view(*s)) : Param();
}

/// Few keys, so that they meet; one byte more than their number says, so that 0 and "" are there.
Bytes any_key() {
  return Bytes(*rc::gen::inRange<std::size_t>(0, 3), *rc::gen::element<std::uint8_t>(0, 7, 255));
}

Item any_item() {
  Item item;
  if (*rc::gen::inRange(0, 4) > 0) item.n = *rc::gen::inRange<std::int64_t>(-3, 14);
  if (*rc::gen::inRange(0, 4) > 0) {
    item.s = *rc::gen::element<std::string>("", "a", "B", "é", "张伟", "it's $1", "\U0001F48A");
  }
  return item;
}

/// Distinct keys, as batches want them.
std::vector<Row> any_rows() {
  Model rows;
  for (int i = *rc::gen::inRange(0, 6); i > 0; --i) rows[any_key()] = any_item();
  return {rows.begin(), rows.end()};
}

std::vector<Param> params_of(const std::vector<Row>& rows) {
  std::vector<Param> params;
  for (const auto& [id, item] : rows) {
    params.insert(params.end(), {ByteView(id), param(item.n), param(item.s)});
  }
  return params;
}

bool allowed(const std::vector<Row>& rows) {
  return std::ranges::none_of(rows, [](const Row& row) { return row.second.n == 13; });
}

Model read(Session& session, std::string_view sql) {
  Model found;
  auto rows = session.query(sql, {});
  RC_ASSERT(rows.has_value());
  while (*(*rows)->next()) {
    const auto id = (*rows)->bytes(0);
    Item item;
    if (!(*rows)->is_null(1)) item.n = (*rows)->integer(1);
    if (!(*rows)->is_null(2)) item.s = std::string((*rows)->text(2));
    found[Bytes(id.begin(), id.end())] = item;
  }
  return found;
}

/// One command to both; the engine's error, which the model shares.
Status command(Session& session, Model& model) {
  const auto rows = any_rows();
  const auto params = params_of(rows);
  const bool meets =
      std::ranges::any_of(rows, [&](const Row& row) { return model.contains(row.first); });
  const auto expect = [](const Result<std::int64_t>& done, bool good, std::size_t count) -> Status {
    RC_ASSERT(done.has_value() == good);
    if (!done) {
      RC_ASSERT(done.error().code == Code::kConflict);
      return fail(done.error());
    }
    RC_ASSERT(*done == static_cast<std::int64_t>(count));
    return {};
  };
  switch (*rc::gen::inRange(0, 6)) {
    case 0: {  // INSERT
      THERIAC_TRY(expect(session.insert("item", Names{"id", "n", "s"}, params, ""),
                         !meets && allowed(rows), rows.size()));
      model.insert(rows.begin(), rows.end());
      return {};
    }
    case 1: {  // DO NOTHING: rows that may not be are refused even so
      const auto before = model.size();
      Model after = model;
      after.insert(rows.begin(), rows.end());
      THERIAC_TRY(
          expect(session.insert("item", Names{"id", "n", "s"}, params, "ON CONFLICT DO NOTHING"),
                 allowed(rows), after.size() - before));
      model = std::move(after);
      return {};
    }
    case 2: {  // DO UPDATE
      THERIAC_TRY(expect(session.insert("item", Names{"id", "n", "s"}, params,
                                        "ON CONFLICT(id) DO UPDATE SET s = excluded.s"),
                         allowed(rows), rows.size()));
      for (const auto& [id, item] : rows) {
        if (const auto [at, fresh] = model.try_emplace(id, item); !fresh) at->second.s = item.s;
      }
      return {};
    }
    case 3: {  // UPDATE by key
      std::size_t there = 0;
      bool good = true;
      for (const auto& [id, item] : rows) {
        there += model.count(id);
        good = good && !(model.contains(id) && item.n == 13);
      }
      THERIAC_TRY(expect(session.update("item", "id", Names{"n", "s"}, params), good, there));
      for (const auto& [id, item] : rows) {
        if (const auto at = model.find(id); at != model.end()) at->second = item;
      }
      return {};
    }
    case 4: {  // DELETE
      const auto n = *rc::gen::inRange<std::int64_t>(-3, 14);
      const auto gone = std::erase_if(model, [&](const auto& row) { return row.second.n == n; });
      return expect(session.run_all("DELETE FROM item WHERE n = $1", n), true, gone);
    }
    default: {  // look up
      std::vector<Param> keys;
      for (const auto& row : rows) keys.emplace_back(ByteView(row.first));
      auto found = session.look_up("item", "id", Names{"n"}, keys);
      RC_ASSERT(found.has_value());
      Model left;
      for (const auto& [id, item] : rows) {
        if (model.contains(id)) left[id] = model[id];
      }
      while (*(*found)->next()) {
        const auto id = (*found)->bytes(0);
        const auto at = left.find(Bytes(id.begin(), id.end()));
        RC_ASSERT(at != left.end());
        RC_ASSERT((*found)->is_null(1) == !at->second.n);
        RC_ASSERT((*found)->integer(1) == at->second.n.value_or(0));
        left.erase(at);
      }
      RC_ASSERT(left.empty());
      return {};
    }
  }
}

class ModelTest : public EngineTest {};
INSTANTIATE_TEST_SUITE_P(Engines, ModelTest, kBothEngines, name_of_engine);

TEST_P(ModelTest, AnyCommandsInAndOutsideOfTransactions) {
  auto& session = open(kSchema);
  EXPECT_TRUE(rc::check([&] {
    RC_ASSERT(session.run("DELETE FROM item", {}).has_value());
    Model model;
    for (int steps = *rc::gen::inRange(1, 8); steps > 0; --steps) {
      if (*rc::gen::arbitrary<bool>()) {
        (void)command(session, model);
        continue;
      }
      Model changed;
      const bool gives_up = *rc::gen::inRange(0, 4) == 0;
      const auto done = session.transact([&](Session& in) -> Status {
        changed = model;
        for (int i = *rc::gen::inRange(0, 5); i > 0; --i) THERIAC_TRY(command(in, changed));
        return gives_up ? fail(Code::kDenied, "by the work") : Status{};
      });
      if (done) model = std::move(changed);
    }
    RC_ASSERT(read(session, "SELECT id, n, s FROM item") == model);
    RC_ASSERT(read(session, "SELECT id, n, s FROM item WHERE n > 5").size() ==
              static_cast<std::size_t>(
                  std::ranges::count_if(model, [](const auto& row) { return row.second.n > 5; })));
  }));
}

}  // namespace
}  // namespace theriac::store
