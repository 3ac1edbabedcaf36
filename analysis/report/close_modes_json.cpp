#include "analysis/report/close_modes_json.h"

#include "analysis/report/conditions_json.h"

namespace ebbtide {
namespace {

using Json = nlohmann::ordered_json;

Json cell_json(const ModeCell& cell) {
  using State = ModeCell::State;
  const char* state = cell.state == State::ok ? "ok" : "not_ok";
  return {{"state", cell.state == State::unmeasured ? "not_measured" : state},
          {"text", json_text(cell.text)}};
}

Json notice_json(const Notice& notice) {
  const bool any = notice.noticed > 0;
  return {{"noticed_connections", notice.noticed},
          {"soonest_seconds", any ? Json(notice.soonest) : Json(nullptr)},
          {"latest_seconds", any ? Json(notice.latest) : Json(nullptr)},
          {"unnoticed_connections", notice.unnoticed},
          {"waited_seconds", notice.unnoticed > 0 ? Json(notice.waited) : Json(nullptr)}};
}

}  // namespace

Json close_modes_json(const CloseModes& modes) {
  Json rows = Json::array();
  for (const ModeOutcome& outcome : modes.outcomes) {
    Json row = {{"mode", close_mode_title(outcome.mode)},
                {"cycles", outcome.cycles},
                {"connections", outcome.connections},
                {"sockets", cell_json(outcome.sockets)},
                {"fds", cell_json(outcome.fds)},
                {"memory", cell_json(outcome.memory)},
                {"event_loop", cell_json(outcome.event_loop)},
                {"process", cell_json(outcome.process)},
                {"finding", json_text(outcome.finding)},
                {"remark", json_text(outcome.remark)}};
    if (outcome.notice) row["notice"] = notice_json(*outcome.notice);
    if (modes.deadly == outcome.mode) row["death"] = json_text(modes.death);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace ebbtide
