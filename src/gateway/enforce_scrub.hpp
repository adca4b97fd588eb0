// Error and notice texts of the server, made fit for the client: helper columns and constraints get
// the names the client knows, and texts that quote rows, keys or values are cut.
#pragma once

#include <optional>

#include "base/bytes.hpp"
#include "rewrite/catalogue.hpp"

namespace theriac::gateway {

/// Appends the scrubbed ErrorResponse ('E') or NoticeResponse ('N') whose body is given.
/// `position`: in the client's text, for an error in a rewritten one.
/// `rewritten`: the statement was not the client's own text, so positions and quoted context are
/// dropped.
void write_scrubbed(Bytes& out, char tag, ByteView body, const rewrite::Catalogue& catalogue,
                    bool rewritten, std::optional<std::size_t> position = std::nullopt);

/// False: write_scrubbed() would change nothing.
bool is_scrubbed(ByteView body, bool rewritten);

/// "theriac_sealed_3" and "theriac_index_3" inside `text` become the column's own name, and
/// "theriac.view_x", which keeps what a view x said, becomes x.
std::string without_helper_names(std::string_view text, const rewrite::Catalogue& catalogue);

}  // namespace theriac::gateway
