#include "api/report.hpp"

namespace theriac::api {
namespace {

constexpr std::string_view kStyle =
    "body{font:11pt/1.4 sans-serif;margin:2cm;color:#111}h1{font-size:16pt;margin:0 0 .3em}"
    "table{border-collapse:collapse;margin:1em 0;page-break-inside:avoid}"
    "caption{text-align:left;font-weight:bold;padding:.3em 0}"
    "th,td{border:1px solid #888;padding:.2em .6em;text-align:left}"
    "@page{size:A4;margin:1.5cm}@media print{body{margin:0}}";

}  // namespace

Report::Report(std::string_view title, Language language) {
  html_ = "<!doctype html>\n<html lang=\"";
  html_ += language == Language::kChinese ? "zh" : "en";
  html_ += "\"><head><meta charset=\"utf-8\"><title>";
  text(title);
  html_ += "</title><style>";
  html_ += kStyle;
  html_ += "</style></head><body>\n<h1>";
  text(title);
  html_ += "</h1>\n";
}

void Report::text(std::string_view raw) {
  for (const char c : raw) {
    switch (c) {
      case '&':
        html_ += "&amp;";
        break;
      case '<':
        html_ += "&lt;";
        break;
      case '>':
        html_ += "&gt;";
        break;
      case '"':
        html_ += "&quot;";
        break;
      case '\'':
        html_ += "&#39;";
        break;
      default:
        html_ += c;
    }
  }
}

void Report::line(std::string_view words) {
  html_ += "<p>";
  text(words);
  html_ += "</p>\n";
}

void Report::cells(const std::vector<std::string>& all, std::string_view tag) {
  html_ += "<tr>";
  for (const auto& one : all) {
    html_ += '<';
    html_ += tag;
    html_ += '>';
    text(one);
    html_ += "</";
    html_ += tag;
    html_ += '>';
  }
  html_ += "</tr>\n";
}

void Report::table(std::string_view caption, const std::vector<std::string>& heads,
                   const std::vector<std::vector<std::string>>& rows) {
  html_ += "<table><caption>";
  text(caption);
  html_ += "</caption>\n<thead>";
  cells(heads, "th");
  html_ += "</thead><tbody>\n";
  for (const auto& row : rows) cells(row, "td");
  html_ += "</tbody></table>\n";
}

http::Response Report::response() && {
  html_ += "</body></html>\n";
  auto made = http::Response::with(200, "text/html; charset=utf-8", html_);
  made.fields.push_back(
      {"Content-Security-Policy",
       "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"});
  made.fields.push_back({"X-Content-Type-Options", "nosniff"});
  return made;
}

}  // namespace theriac::api
