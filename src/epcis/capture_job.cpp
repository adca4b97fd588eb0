#include "epcis/capture_job.hpp"

#include <algorithm>
#include <charconv>

#include "epcis/json_writer.hpp"
#include "epcis/xml_tree.hpp"
#include "epcis/xml_writer.hpp"

namespace theriac::epcis {

namespace {

constexpr std::string_view kNamespace = "urn:epcglobal:epcis:xsd:2";
constexpr std::string_view kDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

std::string_view name_of(CaptureJob::ErrorBehaviour behaviour) {
  return behaviour == CaptureJob::ErrorBehaviour::kRollback ? "rollback" : "proceed";
}

void write_members(const ProblemDetails& problem, XmlWriter& out) {
  out.leaf("type", problem.type);
  out.leaf("title", problem.title);
  if (problem.status) out.leaf("status", std::to_string(*problem.status));
  if (!problem.detail.empty()) out.leaf("detail", problem.detail);
  if (!problem.instance.empty()) out.leaf("instance", problem.instance);
}

void write_object(const ProblemDetails& problem, JsonWriter& out) {
  out.begin_object();
  out.member("type", problem.type);
  out.member("title", problem.title);
  if (problem.status) {
    out.key("status");
    out.literal(std::to_string(*problem.status));
  }
  if (!problem.detail.empty()) out.member("detail", problem.detail);
  if (!problem.instance.empty()) out.member("instance", problem.instance);
  out.end_object();
}

Result<std::string> finished(XmlWriter& out) {
  if (out.impossible()) return fail(Code::kUnsupported, "EPCIS: not possible in XML");
  return out.take();
}

void write_flag(std::string_view name, bool value, JsonWriter& out) {
  out.key(name);
  out.literal(value ? "true" : "false");
}

Result<bool> flag(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return fail(Code::kMalformed, "capture job: running, success");
}

Result<ProblemDetails> read_problem(const Element& tree) {
  ProblemDetails out;
  for (const Element& child : tree.children) {
    const std::string text(trimmed(child.text));
    if (child.name == "type") out.type = text;
    if (child.name == "title") out.title = text;
    if (child.name == "detail") out.detail = text;
    if (child.name == "instance") out.instance = text;
    if (child.name != "status") continue;
    int status = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
    if (error != std::errc() || end != text.data() + text.size()) {
      return fail(Code::kMalformed, "capture job: status");
    }
    out.status = status;
  }
  if (out.type.empty() || out.title.empty()) return fail(Code::kMalformed, "capture job: error");
  return out;
}

Status read_member(const Element& child, CaptureJob& out) {
  const std::string text(trimmed(child.text));
  if (child.name == "captureErrorBehaviour") {
    if (text != "rollback" && text != "proceed") {
      return fail(Code::kMalformed, "capture job: captureErrorBehaviour");
    }
    using enum CaptureJob::ErrorBehaviour;
    out.error_behaviour = text == "rollback" ? kRollback : kProceed;
  } else if (child.name == "createdAt" || child.name == "finishedAt") {
    auto time = time_of(text);
    if (!time) return fail(Code::kMalformed, "capture job: time");
    (child.name == "createdAt" ? out.created_at : out.finished_at) = std::move(time);
  } else if (child.name == "errorFile") {
    out.error_file = text;
  } else if (child.name == "errors") {
    for (const Element& error : child.children) {
      THERIAC_ASSIGN(ProblemDetails problem, read_problem(error));
      out.errors.push_back(std::move(problem));
    }
  }
  return {};
}

}  // namespace

Result<std::string> write_xml(const CaptureJob& job) {
  XmlWriter out{std::string(kDeclaration)};
  out.begin("epcis:EPCISCaptureJob");
  out.attribute("xmlns:epcis", kNamespace);
  out.attribute("running", job.running ? "true" : "false");
  out.attribute("success", job.success ? "true" : "false");
  out.attribute("captureID", job.id);
  out.leaf("captureErrorBehaviour", name_of(job.error_behaviour));
  if (job.created_at) out.leaf("createdAt", job.created_at->text);
  if (job.finished_at) out.leaf("finishedAt", job.finished_at->text);
  if (!job.error_file.empty()) {
    out.leaf("errorFile", job.error_file);
  } else if (!job.errors.empty()) {
    out.begin("errors");
    for (const ProblemDetails& problem : job.errors) {
      out.begin("error");
      write_members(problem, out);
      out.end();
    }
    out.end();
  }
  out.end();
  return finished(out);
}

std::string write_json(const CaptureJob& job) {
  JsonWriter out;
  out.begin_object();
  out.member("captureID", job.id);
  if (job.created_at) out.member("createdAt", job.created_at->text);
  if (job.finished_at) out.member("finishedAt", job.finished_at->text);
  write_flag("running", job.running, out);
  write_flag("success", job.success, out);
  out.member("captureErrorBehaviour", name_of(job.error_behaviour));
  if (!job.error_file.empty()) {
    out.member("errorFile", job.error_file);
  } else {
    out.key("errors");
    out.begin_array();
    for (const ProblemDetails& problem : job.errors) write_object(problem, out);
    out.end_array();
  }
  out.end_object();
  return out.take();
}

Result<CaptureJob> read_capture_job_xml(std::string_view text) {
  THERIAC_ASSIGN(const XmlDocument source, scan_xml_document(text));
  const Element& root = source.root;
  if (root.name != "EPCISCaptureJob" || root.ns != kNamespace) {
    return fail(Code::kMalformed, "capture job: root");
  }
  CaptureJob out;
  const auto attribute = [&](std::string_view name) -> std::string_view {
    const auto found = std::ranges::find_if(
        root.attributes, [&](const Attribute& one) { return one.ns.empty() && one.name == name; });
    return found == root.attributes.end() ? std::string_view() : std::string_view(found->value);
  };
  out.id = attribute("captureID");
  THERIAC_ASSIGN(out.running, flag(attribute("running")));
  THERIAC_ASSIGN(out.success, flag(attribute("success")));
  if (out.id.empty()) return fail(Code::kMalformed, "capture job: captureID");
  for (const Element& child : root.children) {
    if (child.ns.empty()) THERIAC_TRY(read_member(child, out));
  }
  return out;
}

Result<std::string> write_xml(const ProblemDetails& problem) {
  XmlWriter out{std::string(kDeclaration)};
  out.begin("epcis:EPCISException");
  out.attribute("xmlns:epcis", kNamespace);
  write_members(problem, out);
  out.end();
  return finished(out);
}

std::string write_json(const ProblemDetails& problem) {
  JsonWriter out;
  write_object(problem, out);
  return out.take();
}

}  // namespace theriac::epcis
