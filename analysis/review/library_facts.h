// Answers: what do the libraries do that servers are made with? Everything the review knows of a
// package stands in the tables of library_facts.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/review/resource.h"

namespace ebbtide {

enum class Library : std::uint8_t {
  unknown,
  ws,
  socket_io,
  express_ws,
  fastify_websocket,
  uwebsockets,
  nestjs,
  websocket_node,
  net,
  http,
};

struct LibraryFacts {
  Library library = Library::unknown;
  std::string_view name;
  std::vector<std::string_view> close_events = {};    // come however a connection ends
  std::vector<std::string_view> partial_events = {};  // come for some endings only
  std::vector<std::string_view> message_events = {};  // empty: any other event is a message
  std::vector<std::string_view> own_members = {};     // that live and end with the connection
  bool unheard_error_is_fatal = false;                // 'error' without a listener ends the process
  bool has_own_heartbeat = false;
  bool limits_payload = false;  // by default, to something a server can bear
  bool is_websocket = true;
};

const LibraryFacts& library_facts(Library library);

// How a server says which function gets each connection: `receiver.method(event, …, handler)`.
struct ServerPattern {
  Library library;
  std::string_view receiver;  // how Values::external() of the receiver begins
  std::string_view method;
  std::string_view event;  // "" when the method has none
  std::uint32_t connection_parameter = 0;
};

const std::vector<ServerPattern>& server_patterns();

// A cache of a package that throws out the oldest entries by itself.
struct BoundedCache {
  std::string_view made;  // Values::external() of what makes it
  std::vector<std::string_view>
      limits;  // options that set its size; empty: its first argument does
};

const std::vector<BoundedCache>& bounded_caches();

// Something a package or the runtime gives that has to be given back by name.
struct HandleFacts {
  ReviewResource resource = ReviewResource::none;
  std::string_view acquired;  // Values::external() of what gives it; a bare name for a global
  std::vector<std::string_view> release_methods;    // of the handle
  std::vector<std::string_view> release_functions;  // that take the handle
  bool returns_disposer = false;                    // calling what was returned gives it back
};

// nullptr when `external` acquires nothing that must be released.
const HandleFacts* handle_facts(std::string_view external);

bool is_listener_adder(std::string_view method);    // on, addListener, …; not once
bool is_listener_remover(std::string_view method);  // off, removeListener, …

}  // namespace ebbtide
