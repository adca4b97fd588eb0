// Collects what is wrong while one event or document is read, and where.
//
// Threading: one reader's own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "epcis/limits.hpp"
#include "epcis/problem.hpp"

namespace theriac::epcis {

class Report {
 public:
  /// `refused`: deviations that the caller will not have.
  explicit Report(const ProblemCodes& refused) : refused_(refused) {}

  void add(ProblemCode code) {
    if (kind_of(code) == Kind::kRefusal || refused_.test(static_cast<std::size_t>(code))) {
      fatal_ = true;
    }
    if (problems_.size() < kProblemsMax) problems_.push_back({code, path()});
  }
  /// At a field of the place where the reader is.
  void add(ProblemCode code, std::string_view field) {
    steps_.push_back({field, std::nullopt});
    add(code);
    steps_.pop_back();
  }

  [[nodiscard]] bool fatal() const { return fatal_; }
  [[nodiscard]] std::vector<Problem>& problems() { return problems_; }

 private:
  friend class At;
  /// Names are the standard's own, which are constants; an extension's is never named.
  struct Step {
    std::string_view name;
    std::optional<std::size_t> index;
  };
  [[nodiscard]] std::string path() const {
    std::string out;
    for (const Step& step : steps_) {
      if (!step.name.empty()) {
        if (!out.empty()) out += '.';
        out += step.name;
      }
      if (step.index) out += '[' + std::to_string(*step.index) + ']';
    }
    return out;
  }

  ProblemCodes refused_;
  bool fatal_ = false;
  std::vector<Step> steps_;
  std::vector<Problem> problems_;
};

/// A step into a field for as long as it lives. `name` must outlive it (a constant).
class At {
 public:
  At(Report& report, std::string_view name, std::optional<std::size_t> index = std::nullopt)
      : report_(report) {
    report_.steps_.push_back({name, index});
  }
  ~At() { report_.steps_.pop_back(); }
  At(const At&) = delete;
  At& operator=(const At&) = delete;

 private:
  Report& report_;
};

}  // namespace theriac::epcis
