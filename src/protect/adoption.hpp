// The functions of schema theriac that let an application's own CREATE and ALTER TABLE go on while
// its columns stay protected: after the statement, in the same transaction, the gateway calls
// theriac.settle(), which gives what is new its physical form (gateway.md, "Physical form"), or
// raises 0A000 and so takes the statement back.
//
//   theriac.settle(arguments text, digest bytea)   arguments: see SettleArguments
//   theriac.registered(digest bytea)               the rows of registered_columns_sql()
//
// Anybody may call them, since the call comes over the client's connection; nothing happens without
// the digest: HMAC-SHA-256 under theriac.gateway_key, which only the gateway's role may read, over
// backend, transaction, function and arguments (docs/adr/0008). They belong to the superuser that
// ran theriac protect, evaluate no expression of the client's, and touch only what the registry or
// the arguments name.
//
// Pure texts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "policy/policy.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/view.hpp"

namespace theriac::protect {

/// Statements that make the functions, or replace them with today's; in the registry's transaction.
std::string adoption_sql();

/// What is signed: decimal process id of the backend, decimal transaction id, function, arguments.
std::string settle_message(std::string_view backend, std::string_view transaction,
                           std::string_view function, std::string_view arguments);

using SettleAct = rewrite::DdlAct;

/// A view in its protected form, and which columns it gives; the registry is to know it.
struct SettledView {
  std::uint32_t oid = 0;
  std::vector<rewrite::ViewForm::Helped> columns;
  std::vector<rewrite::ColumnId> compared;
};

struct SettleArguments {
  std::string role;  ///< current_user of the client's session: who must own what acts change
  /// Columns of the policy to be adopted where they stand unprotected.
  std::vector<const policy::ProtectedColumn*> awaited;
  std::vector<std::uint32_t> relations;  ///< protected tables, and views, that were named
  bool members = false;                  ///< and all that inherit from them
  std::vector<std::uint32_t> parents;    ///< protected tables that may have new members
  std::vector<SettleAct> acts;
  std::vector<SettledView> views;
};
codec::Json settle_json(const SettleArguments& arguments, const policy::Policy& policy);

}  // namespace theriac::protect
