// Routes: which handler a method and path belong to, and under which conditions it runs.
//
// Patterns: "/items/{item}/events", with "{name}" for one segment that is not empty, and at the end
// "{name...}" for one or more ("/assets/{file...}"). Literal parts go before "{name}", that before
// "{name...}". "/a" and "/a/" are different paths.
//
// Threading: add() before the server starts, everything else from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/message.hpp"

namespace theriac::http {

using Handler = std::function<Response(Request&)>;
using AsyncHandler = std::function<runtime::Task<Response>(Request*)>;

enum class Runs : std::uint8_t {
  kOnLoop,  ///< short work that never blocks
  kInPool   ///< whatever blocks; a full pool is answered with 503
};

struct Route {
  std::string method;
  std::string pattern;
  Handler handler;
  /// In place of `handler`: a coroutine, always on the loop.
  AsyncHandler async;
  Runs runs = Runs::kOnLoop;
  std::size_t body_bytes_max = 0;
  /// `async` reads the body itself, by Request::reader; the limit holds all the same.
  bool streams_body = false;
  bool needs_certificate = false;
  /// A segment may hold an encoded slash. Otherwise such a path is not found.
  bool encoded_slashes = false;
  /// An Idempotency-Key is honoured (http/idempotency.hpp); only with `handler`.
  bool idempotent = false;
  /// Of the rate limiter's tokens; 0 for what must always be reached.
  double cost = 1;
};

struct Match {
  const Route* route = nullptr;  ///< nullptr: see `allow`
  std::size_t index = 0;         ///< of the route, as it was added
  std::vector<std::pair<std::string_view, std::string>> path;
  std::string allow;  ///< methods of the path, for 405 and OPTIONS; "": 404
};

class Router {
 public:
  /// Code::kUsage: a pattern or a combination that is not understood; kAlreadyExists.
  Status add(Route route);
  /// HEAD finds a GET route where there is none of its own.
  [[nodiscard]] Match find(std::string_view method, const std::vector<Segment>& segments) const;
  [[nodiscard]] const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> any;
    std::vector<std::size_t> ending;       // routes that end here
    std::vector<std::size_t> ending_rest;  // routes that take all that follows
  };
  struct Search;
  void visit(const Node& node, Search& search, std::size_t depth) const;
  bool choose(const std::vector<std::size_t>& candidates, Search& search) const;
  void fill(Match& match, const std::vector<Segment>& segments) const;
  Node root_;
  std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace theriac::http
