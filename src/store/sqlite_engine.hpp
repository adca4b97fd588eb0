// SQLite as an engine. Internal: made by open_engine; fault tests name a VFS here.
//
// Threading: as Engine.
#pragma once

#include "store/engine.hpp"

namespace theriac::store {

Result<std::unique_ptr<Engine>> open_sqlite_engine(const DatabaseOptions& file,
                                                   const EngineOptions& options,
                                                   SchemaSteps schema);

}  // namespace theriac::store
