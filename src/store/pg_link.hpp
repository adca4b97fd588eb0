// A connection set up as the engine needs it, its errors in the interface's words, and the schema
// brought to its last step. Internal.
//
// Threading: as PgConnection.
#pragma once

#include "store/engine.hpp"
#include "store/pg.hpp"

namespace theriac::store {

/// The server's SQLSTATE as one of engine.hpp's codes.
Error said_by_server(Error error, std::string_view sqlstate);

/// Opens with search_path, durability and waiting limits set. Code::kUnsupported for a database
/// that is not UTF-8.
Result<PgConnection> open_link(const EngineOptions& options);

/// Of the schema that search_path names.
Result<std::int64_t> schema_version(PgConnection& link);

/// Makes or upgrades the schema, one process at a time. Its version.
Result<std::int64_t> bring_up(PgConnection& link, const EngineOptions& options, SchemaSteps schema);

}  // namespace theriac::store
