// The texts that adoption_sql() is put together from; names in braces are filled in there.
#pragma once

#include <string_view>

namespace theriac::protect {

extern const std::string_view kKeySql;     ///< theriac.gateway_key, what older registries lack
extern const std::string_view kCallSql;    ///< who may call, how it is refused, who owns
extern const std::string_view kViewsSql;   ///< views in their protected form
extern const std::string_view kIndexSql;   ///< indexes on protected columns move to the helpers
extern const std::string_view kRightsSql;  ///< rights on the table become rights on columns
extern const std::string_view kMemberSql;  ///< partitions and inheriting tables
extern const std::string_view kColumnSql;  ///< NOT NULL, default and type of a protected column
extern const std::string_view kAdoptSql;   ///< a plain column of the policy becomes a protected one
extern const std::string_view kSettleSql;  ///< what the gateway calls

}  // namespace theriac::protect
