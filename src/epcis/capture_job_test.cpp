#include "epcis/capture_job.hpp"

#include <gtest/gtest.h>

#include "epcis/test_support.hpp"

namespace theriac::epcis {
namespace {

CaptureJob failed() {
  CaptureJob job;
  job.id = "7";
  job.created_at = time_of("2026-11-21T10:30:00Z");
  job.finished_at = time_of("2026-11-21T10:31:00Z");
  job.success = false;
  job.error_behaviour = CaptureJob::ErrorBehaviour::kProceed;
  job.errors = {
      {.type = "urn:example:p", .title = "a <title>", .status = 400, .detail = "", .instance = ""}};
  return job;
}

TEST(CaptureJob, Json) {
  EXPECT_EQ(write_json(failed()),
            R"({"captureID":"7","createdAt":"2026-11-21T10:30:00Z",)"
            R"("finishedAt":"2026-11-21T10:31:00Z","running":false,"success":false,)"
            R"("captureErrorBehaviour":"proceed",)"
            R"("errors":[{"type":"urn:example:p","title":"a <title>","status":400}]})");
}

TEST(CaptureJob, XmlThereAndBack) {
  const std::string xml = write_xml(failed()).value();
  EXPECT_EQ(read_capture_job_xml(xml).value(), failed());
  if (fs::exists(data_folder())) EXPECT_EQ(schema_of(DocumentKind::kEvents).complaint(xml), "");
  const std::string exception = write_xml(failed().errors[0]).value();
  if (fs::exists(data_folder())) {
    EXPECT_EQ(schema_of(DocumentKind::kEvents).complaint(exception), "");
  }
  CaptureJob job = failed();
  job.id = "\x01";
  EXPECT_EQ(write_xml(job).error().code, Code::kUnsupported);
}

TEST(CaptureJob, ExamplesOfGs1) {
  if (!fs::exists(data_folder())) GTEST_SKIP() << "GS1's examples are not here";
  std::size_t count = 0;
  for (const fs::path& path : files_under(data_folder() / "XML/CaptureJob", ".xml")) {
    const auto job = read_capture_job_xml(text_of_file(path));
    ASSERT_TRUE(job) << path << job.error().message();
    const std::string xml = write_xml(*job).value();
    EXPECT_EQ(schema_of(DocumentKind::kEvents).complaint(xml), "") << xml;
    EXPECT_EQ(read_capture_job_xml(xml).value(), *job);
    ++count;
  }
  EXPECT_EQ(count, 4U);
}

TEST(CaptureJob, Malformed) {
  const std::string good = write_xml(failed()).value();
  const auto code = [&](const char* from, const char* to) {
    std::string text = good;
    text.replace(text.find(from), std::string_view(from).size(), to);
    const auto job = read_capture_job_xml(text);
    return job ? Code::kInternal : job.error().code;
  };
  EXPECT_EQ(code("xsd:2", "xsd:3"), Code::kMalformed);
  EXPECT_EQ(code("running=\"false\"", "running=\"no\""), Code::kMalformed);
  EXPECT_EQ(code("captureID=\"7\"", ""), Code::kMalformed);
  EXPECT_EQ(code("proceed", "ignore"), Code::kMalformed);
  EXPECT_EQ(code("10:30:00Z", "half past ten"), Code::kMalformed);
  EXPECT_EQ(code(">400<", ">4OO<"), Code::kMalformed);
  EXPECT_EQ(code("<type>urn:example:p</type>", ""), Code::kMalformed);
}

}  // namespace
}  // namespace theriac::epcis
