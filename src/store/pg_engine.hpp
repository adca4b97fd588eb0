// PostgreSQL as an engine. Internal: made by open_engine.
//
// Threading: as Engine.
#pragma once

#include "store/engine.hpp"

namespace theriac::store {

Result<std::unique_ptr<Engine>> open_pg_engine(const EngineOptions& options, SchemaSteps schema);

}  // namespace theriac::store
