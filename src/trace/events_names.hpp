// What events name, for lists of it: EPCIS 2.0 section 12, /epcs, /bizSteps, /bizLocations,
// /readPoints, /dispositions. Each viewer gets what is in the events it may see.
//
// Few names occur in many events: they are kept, sealed, once for each viewer. Identifiers of items
// are as many as items: they are not kept again, but read off the events, each where it occurs
// first.
//
// Threading: as the session of the Work.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "trace/events.hpp"

namespace theriac::trace {

/// The numbers are stored: never changed.
enum class NameField : std::uint8_t {
  kBizStep = 1,
  kDisposition = 2,
  kBizLocation = 3,
  kReadPoint = 4
};

/// Names of the events of one capture.
class NewNames {
 public:
  explicit NewNames(Work& work) : work_(&work) {}
  /// Words of the CBV are left out: whoever lists them knows them.
  Status note(const epcis::Event& event, const std::set<std::int64_t>& parties);
  /// Those that are not known yet.
  Status keep();

 private:
  Status note(NameField field, const std::string& text, const std::set<std::int64_t>& parties);
  struct Name {
    NameField field;
    std::int64_t viewer;
    std::string text;
    std::size_t order;  ///< in which they came
  };
  Work* work_;
  std::set<std::tuple<NameField, std::int64_t, std::string>> seen_;
  std::map<seal::IndexToken, Name> names_;
};

struct NamePage {
  std::vector<std::string> names;
  std::optional<std::int64_t> next;  ///< give it as `after` for what follows; none: the end
};
/// In the order in which they came.
Result<NamePage> list_names(Work& work, NameField field, const Viewer& viewer, std::int64_t after,
                            std::int64_t limit);

/// Where a list of identifiers goes on: at an event, behind so many of its identifiers.
struct EpcPlace {
  std::int64_t seq = 0;
  std::int64_t behind = 0;
};
struct EpcPage {
  std::vector<std::string> epcs;
  std::optional<EpcPlace> next;
};
/// Items and containers that events name, as they name them first. A page may have fewer than
/// `limit`, or none, and others follow: one call looks at kEpcScanEvents events at most.
Result<EpcPage> list_epcs(Work& work, const Viewer& viewer, EpcPlace from, std::int64_t limit);

}  // namespace theriac::trace
