#include "analysis/heap/cause_path.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "analysis/heap/script_sources.h"

namespace ebbtide {
namespace {

constexpr std::size_t most_segments = 7;
constexpr std::size_t kept_in_front = 3;

bool is_function(const HeapPath& step) {
  return step.class_name.ends_with("()") || step.class_name.find(" @ ") != std::string::npos;
}

// "Hub" of "Hub @ server.js:6:1"; other classes as they are.
std::string function_name(const HeapPath& step) {
  return step.class_name.substr(0, step.class_name.find(" @ "));
}

// "(Map)"; a function's name and place say nothing more than the variable's.
std::string with_class(const std::string& name, const HeapPath& step) {
  if (is_function(step)) return name + "()";
  return step.class_name.empty() ? name : fmt::format("{} ({})", name, step.class_name);
}

bool is_timer_list(const HeapPath& step) {
  return step.step == PathStep::variable && step.edge.starts_with("timerList") &&
         !is_user_script(step.position.script);
}

class PathTeller {
 public:
  explicit PathTeller(std::span<const HeapPath* const> steps) : steps_(steps) {}

  std::string tell() {
    for (std::size_t i = 0; i < steps_.size(); ++i) add(i);
    if (segments_.size() > most_segments) {
      const auto first = segments_.begin() + kept_in_front;
      const auto last = segments_.end() - (most_segments - kept_in_front - 1);
      *segments_.erase(first, last - 1) = "…";
    }
    return fmt::format("{}", fmt::join(segments_, " → "));
  }

 private:
  void add(std::size_t i) {
    const HeapPath& step = *steps_[i];
    switch (step.step) {
      case PathStep::root:
        break;
      case PathStep::variable:
        add_variable(step);
        break;
      case PathStep::global:
        segments_.push_back(with_class("globalThis." + step.edge, step));
        break;
      case PathStep::property:
        add_property(i);
        break;
      case PathStep::element:
        add_element(i);
        break;
      case PathStep::internal:
        // Functions that the runtime made, between a promise and who waits for it.
        if (i + 1 == steps_.size() || !is_function(step)) segments_.push_back(step.class_name);
        break;
    }
  }

  void add_variable(const HeapPath& step) {
    if (is_timer_list(step)) {
      segments_ = {"timers"};  // however the runtime's own functions led here
      return;
    }
    if (step.edge == step.class_name) {
      segments_.push_back(step.edge);  // process
      return;
    }
    const std::string place = place_text(step.position);
    segments_.push_back(with_class(place.empty() ? step.edge : place + " " + step.edge, step));
  }

  [[nodiscard]] bool is_events(std::size_t i) const {
    return steps_[i]->step == PathStep::property && steps_[i]->edge == "_events";
  }

  // An emitter's table of listeners, and the list of one event in it, belong to its own segment.
  void add_property(std::size_t i) {
    const HeapPath& step = *steps_[i];
    if (is_events(i) && i > 0 && i + 1 < steps_.size()) {
      if (segments_.empty()) segments_.push_back(steps_[i - 1]->class_name);
      return;
    }
    if (i > 0 && is_events(i - 1) && !segments_.empty()) {
      segments_.back() += fmt::format(" '{}' listeners", step.edge);
      if (is_function(step)) segments_.push_back(step.class_name);
      return;
    }
    // A module's export is known by its script; how the runtime keeps modules says nothing.
    if (i > 0 && steps_[i - 1]->edge == "exports" && is_user_script(step.position.script)) {
      segments_ = {with_class(place_text(step.position) + " exports." + step.edge, step)};
      return;
    }
    // Timers are a list; how it is linked says nothing.
    if (step.edge == "_idleNext" || step.edge == "_onTimeout") {
      segments_.push_back(step.class_name);
      return;
    }
    const bool first = segments_.empty() && i > 0 && !steps_[i - 1]->class_name.empty();
    const std::string name = first ? function_name(*steps_[i - 1]) + "." + step.edge : step.edge;
    if (is_function(step) && i + 1 == steps_.size()) {
      segments_.push_back(fmt::format("{} ({})", name, step.class_name));
    } else {
      segments_.push_back(with_class(name, step));
    }
  }

  void add_element(std::size_t i) {
    const HeapPath& step = *steps_[i];
    if (i > 0 && is_events(i - 1)) {
      if (!segments_.empty()) segments_.back() += " listeners";
      if (!is_function(step)) return;
    }
    if (step.class_name == "TimersList") return;
    segments_.push_back(step.class_name);
  }

  std::span<const HeapPath* const> steps_;
  std::vector<std::string> segments_;
};

}  // namespace

std::string place_text(const CodePosition& position) {
  const std::string_view name = base_name(position.script);
  return position.line == 0 ? std::string(name) : fmt::format("{}:{}", name, position.line);
}

std::string path_text(std::span<const HeapPath* const> steps) { return PathTeller(steps).tell(); }

}  // namespace ebbtide
