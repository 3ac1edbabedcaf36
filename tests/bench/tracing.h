// Answers: what can be attached to a server while its CPU is measured? Each function attaches one
// thing; dropping what it returns detaches it.
#pragma once

#include <memory>
#include <string>

#include "recording/result.h"
#include "tests/e2e/server.h"
#include "tracer/target.h"
#include "tracer/tracer.h"

namespace ebbtide {

using Attached = std::shared_ptr<void>;

Result<Target> server_target(const Server& server);

// The tracer as `ebbtide leak` attaches it. `recording` must not exist. An error when any part of
// the default set stays off.
Result<std::shared_ptr<Tracer>> attach_tracer(const Target& target, const std::string& recording);

// Of the base tier only the program that follows sockets by TCP state.
Result<Attached> attach_sockets_only(const Target& target);

// A program on sys_exit that returns at once: what any tracing of system calls costs.
Result<Attached> attach_no_work();

// strace -f on the system calls that the base tier follows.
Result<Attached> attach_strace(const Target& target);

}  // namespace ebbtide
