// What makes rows of pools and allocations; of pools.cpp and number_lists.cpp.
//
// Threading: as the session of the Work.
#pragma once

#include "trace/pools.hpp"

namespace theriac::trace {

Status insert_pool(Work& work, const Pool& one, const Who& who);
/// A pool's identity, from which its order is derived: of what cannot come twice.
Result<FieldId> new_uid(Work& work, std::int64_t pool);
/// `count` numbers of the pool from its next on, for a lot and a place that fit.
Result<Allocation> take(Work& work, const Pool& from, std::int64_t count, std::int64_t lot,
                        std::int64_t place);

}  // namespace theriac::trace
