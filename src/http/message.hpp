// What handlers get and give.
//
// Ownership: a Request and everything it points to lives until its handler has returned (for a
// coroutine: until it is done); a handler that keeps something copies it.
// Threading: a Request belongs to its handler; BodyReader and BodyWriter to the loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "http/target.hpp"
#include "http/wire.hpp"
#include "runtime/loop.hpp"

namespace theriac::http {

struct Field {
  std::string name;
  std::string value;
  friend bool operator==(const Field&, const Field&) = default;
};

/// A verified certificate, opaque here: who it speaks for is read from `der` by others.
struct ClientCertificate {
  Bytes der;
  std::string fingerprint;  ///< SHA-256 of `der`, lower-case hexadecimal
};

/// A body as it comes, for routes that take it so.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// Up to into.size() bytes; 0 at the end. Code::kTooLarge past the route's limit, kProtocol for a
  /// broken chunk, kTimeout when it comes too slowly, kClosed, kIo. `into` must live until done.
  virtual runtime::Task<Result<std::size_t>> read(MutableBytes into) = 0;
};

/// A reply as it is made. Waiting for write() is the back-pressure.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  /// Sent when it returns. kTimeout when the client reads too slowly, kClosed, kIo: then the
  /// producer ends. `data` must live until done.
  virtual runtime::Task<Status> write(ByteView data) = 0;
  /// The server stops: an endless stream ends itself soon.
  [[nodiscard]] virtual bool stopping() const = 0;
  virtual runtime::Loop& loop() = 0;
};

struct Request {
  std::string_view method;
  std::string_view target;  ///< as received; for logs it is too telling (serial numbers)
  const FieldViews* fields = nullptr;
  std::vector<std::pair<std::string_view, std::string>> path;  ///< the pattern's parts, decoded
  Query query;
  Bytes body;
  BodyReader* reader = nullptr;  ///< in place of `body`, for routes with streams_body
  std::string_view host;         ///< host[:port] that the client named; may be empty
  std::string_view peer;         ///< address without port
  const ClientCertificate* certificate = nullptr;  ///< nullptr: none was shown
  std::string id;                 ///< of this request, unique; stands in the reply and in logs
  std::int64_t deadline_ms = 0;   ///< monotonic; work past it is for nobody
  runtime::Loop* loop = nullptr;  ///< where it was read

  [[nodiscard]] std::optional<std::string_view> field(std::string_view name) const {
    return find_field(*fields, name);
  }
  /// "" for a name that the route's pattern does not have.
  [[nodiscard]] std::string_view path_part(std::string_view name) const {
    for (const auto& [key, value] : path) {
      if (key == name) return value;
    }
    return {};
  }
  /// Fingerprint or address: whom limits and idempotency keys belong to.
  [[nodiscard]] std::string_view client() const {
    return certificate == nullptr ? peer : std::string_view(certificate->fingerprint);
  }
};

/// Writes a body piece by piece. An error ends the connection, so that the client sees that the
/// body is not whole.
using Producer = std::function<runtime::Task<Status>(BodyWriter*)>;

struct Response {
  int status = 200;
  /// Without Content-Length, Transfer-Encoding, Connection and Date, which the server writes.
  std::vector<Field> fields;
  /// The shared form is for bodies that stay (web assets): they are not copied.
  std::variant<Bytes, std::shared_ptr<const Bytes>, Producer> body;

  static Response with(int status, std::string type, std::string_view text) {
    return {status, {{"Content-Type", std::move(type)}}, bytes_of(text)};
  }
  static Response json(int status, std::string_view text) {
    return with(status, "application/json", text);
  }
  static Response empty(int status = 204) { return {status, {}, Bytes()}; }
};

}  // namespace theriac::http
