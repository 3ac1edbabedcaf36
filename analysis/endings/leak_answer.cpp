#include "analysis/endings/leak_answer.h"

#include "analysis/endings/passes.h"

namespace ebbtide {

LeakAnswer answer_leak_run(const Recording& run) {
  LeakAnswer answer;
  answer.main = main_part(run);
  answer.assessment = assess(answer.main);
  answer.causes = find_causes(answer.main, answer.assessment);
  answer.modes = assess_close_modes(run, answer.main, answer.assessment);
  weigh_close_modes(answer.modes, answer.assessment);
  return answer;
}

}  // namespace ebbtide
