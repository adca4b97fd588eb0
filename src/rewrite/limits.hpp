// Limits of the SQL analysis beside those of plan.hpp, each with the reason for its size.
#pragma once

#include <cstddef>

namespace theriac::rewrite {

/// Upper bound of what scan.hpp's nesting() may answer before the text is given to the parser. The
/// parser library writes its tree recursively and needs about 2 KiB of stack for each level, so an
/// unbounded chain ("1+1+1+...") would end the process; 2,000 levels leave half of an 8 MiB stack.
inline constexpr int kSqlNestingMax = 2'000;

/// Depth of expressions and sub-selects the analysis itself follows in a touched statement.
inline constexpr int kAnalysisDepthMax = 400;

/// Server parameters a rewritten statement may need (the protocol counts them in 16 bits).
inline constexpr std::size_t kSlotsMax = 65'535;

}  // namespace theriac::rewrite
