#include "gateway/gateway_metrics.hpp"

#include <fmt/format.h>

#include "gateway/gateway_limits.hpp"
#include "runtime/gate.hpp"

namespace theriac::gateway {
namespace {

struct Row {
  std::string_view name, kind, help, labels;
  Count LoopMetrics::* count;
};

constexpr std::array kRows{
    Row{"theriac_gateway_connections_total", "counter", "connections accepted", "",
        &LoopMetrics::connections},
    Row{"theriac_gateway_sessions", "gauge", "sessions open", "", &LoopMetrics::sessions_open},
    Row{"theriac_gateway_sessions_total", "counter", "sessions begun", "",
        &LoopMetrics::sessions_total},
    Row{"theriac_gateway_cancels_total", "counter", "cancel requests forwarded", "",
        &LoopMetrics::cancels},
    Row{"theriac_gateway_refusals_total", "counter", "refusals told to clients", "",
        &LoopMetrics::refusals},
    Row{"theriac_gateway_bytes_total", "counter", "bytes read", "{from=\"client\"}",
        &LoopMetrics::bytes_from_client},
    Row{"theriac_gateway_bytes_total", "", "", "{from=\"server\"}",
        &LoopMetrics::bytes_from_server},
    Row{"theriac_gateway_messages_total", "counter", "messages read", "{from=\"client\"}",
        &LoopMetrics::messages_from_client},
    Row{"theriac_gateway_messages_total", "", "", "{from=\"server\"}",
        &LoopMetrics::messages_from_server},
};

void head(std::string& out, std::string_view name, std::string_view kind, std::string_view help) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, kind, help);
}

runtime::Task<void> answer(std::unique_ptr<runtime::Stream> stream, MetricsText text) {
  stream->set_idle_deadline(kLingerDeadline);
  Bytes request;
  Bytes buffer(kMetricsRequestBytesMax);
  while (text_of(request).find("\r\n\r\n") == std::string_view::npos) {
    const auto count = co_await stream->read_some(buffer);
    if (!count || request.size() + *count > kMetricsRequestBytesMax) co_return;
    append(request, ByteView(buffer).first(*count));
  }
  const auto line = text_of(request);
  const bool known = line.starts_with("GET /metrics ");
  const std::string body = known ? text() : "only GET /metrics is answered here\n";
  const auto reply = fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
      "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
      known ? "200 OK" : "404 Not Found", body.size(), body);
  if (co_await stream->write(view_of(reply))) stream->shutdown_write();
}

runtime::Task<void> answer_one(std::unique_ptr<runtime::Stream> stream, MetricsText text,
                               std::shared_ptr<std::size_t> under_way) {
  co_await answer(std::move(stream), std::move(text));
  --*under_way;
}

}  // namespace

std::string metrics_text(std::span<const std::unique_ptr<LoopMetrics>> loops,
                         const std::string& more) {
  std::string out;
  for (const auto& row : kRows) {
    if (!row.kind.empty()) head(out, row.name, row.kind, row.help);
    std::uint64_t sum = 0;
    for (const auto& loop : loops) sum += ((*loop).*row.count).get();
    fmt::format_to(std::back_inserter(out), "{}{} {}\n", row.name, row.labels, sum);
  }
  head(out, "theriac_gateway_errors_total", "counter", "sessions and openings ended by an error");
  for (std::size_t code = 0; code < kCodeCount; ++code) {
    std::uint64_t sum = 0;
    for (const auto& loop : loops) sum += loop->errors[code].get();
    fmt::format_to(std::back_inserter(out), "theriac_gateway_errors_total{{code=\"{}\"}} {}\n",
                   info_of(static_cast<Code>(code)).name, sum);
  }
  return out + more;
}

runtime::Task<void> serve_metrics(runtime::Loop* loop, runtime::Listener* listener,
                                  MetricsText text) {
  const auto under_way = std::make_shared<std::size_t>(0);
  while (true) {
    auto stream = co_await listener->accept();
    if (!stream) co_return;
    if (*under_way >= kMetricsScrapesMax) continue;
    ++*under_way;
    loop->spawn("metrics", answer_one(std::move(*stream), text, under_way));
  }
}

}  // namespace theriac::gateway
