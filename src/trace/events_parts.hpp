// What the files of events share: indexes of terms, whom an event concerns, rows read. Internal.
//
// Threading: as the session of the Work.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "epcis/terms.hpp"
#include "trace/events.hpp"

namespace theriac::trace {

/// The first bytes of a term's blind index, as `terms` has them.
Result<std::int64_t> term_index(Work& work, const epcis::Term& term);
/// The term of events that a partner may see.
epcis::Term party_term(std::int64_t partner);

/// Which partners events concern.
class Parties {
 public:
  explicit Parties(Work& work) : work_(&work) {}
  /// `captured_by` and those that the event names or whose places it names; without 0.
  Result<std::set<std::int64_t>> of(const epcis::Event& event, std::int64_t captured_by);

 private:
  /// 0: none, or our own.
  Result<std::int64_t> partner_of(std::string_view id);
  Work* work_;
  std::map<std::string, std::int64_t, std::less<>> known_;
};

/// Of rows (seq, partner, record_ms, sealed).
Result<StoredEvent> event_at(Work& work, const store::Rows& rows);
Result<std::vector<StoredEvent>> events_at(Work& work, std::unique_ptr<store::Rows> rows);

}  // namespace theriac::trace
