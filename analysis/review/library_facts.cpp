#include "analysis/review/library_facts.h"

#include <algorithm>

#include "analysis/review/words.h"

namespace ebbtide {

const LibraryFacts& library_facts(Library library) {
  static const std::vector<LibraryFacts> facts = {
      {.library = Library::unknown,
       .name = "unknown",
       .close_events = {"close", "disconnect"},
       .message_events = {"message"}},
      {.library = Library::ws,
       .name = "ws",
       .close_events = {"close"},
       .partial_events = {"error"},
       .message_events = {"message"},
       .own_members = {"_socket"},
       .unheard_error_is_fatal = true},
      {.library = Library::socket_io,
       .name = "socket.io",
       .close_events = {"disconnect", "disconnecting"},
       .partial_events = {"error"},
       .own_members = {"conn"},
       .has_own_heartbeat = true,
       .limits_payload = true},
      {.library = Library::express_ws,
       .name = "express-ws",
       .close_events = {"close"},
       .partial_events = {"error"},
       .message_events = {"message"},
       .unheard_error_is_fatal = true},
      {.library = Library::fastify_websocket,
       .name = "@fastify/websocket",
       .close_events = {"close"},
       .partial_events = {"error"},
       .message_events = {"message"},
       .own_members = {"socket"}},
      {.library = Library::uwebsockets,
       .name = "uWebSockets.js",
       .close_events = {"close"},
       .message_events = {"message"},
       .has_own_heartbeat = true,
       .limits_payload = true},
      {.library = Library::nestjs,
       .name = "NestJS gateway",
       .close_events = {"disconnect", "disconnecting", "close"},
       .own_members = {"conn", "_socket"},
       .has_own_heartbeat = true,
       .limits_payload = true},
      {.library = Library::websocket_node,
       .name = "websocket",
       .close_events = {"close"},
       .partial_events = {"error"},
       .message_events = {"message"},
       .has_own_heartbeat = true,
       .limits_payload = true},
      {.library = Library::net,
       .name = "net",
       .close_events = {"close"},
       .partial_events = {"end", "error", "timeout"},
       .message_events = {"data"},
       .unheard_error_is_fatal = true,
       .has_own_heartbeat = true,
       .limits_payload = true,
       .is_websocket = false},
      {.library = Library::http,
       .name = "http",
       .close_events = {"close"},
       .partial_events = {"end", "finish", "error", "aborted"},
       .message_events = {"data"},
       .has_own_heartbeat = true,
       .limits_payload = true,
       .is_websocket = false},
  };
  return facts[static_cast<std::size_t>(library)];
}

const std::vector<ServerPattern>& server_patterns() {
  static const std::vector<ServerPattern> patterns = {
      {Library::ws, "ws:Server()", "on", "connection"},
      {Library::ws, "ws:WebSocketServer()", "on", "connection"},
      {Library::socket_io, "socket.io:", "on", "connection"},
      {Library::socket_io, "socket.io:", "on", "connect"},
      {Library::express_ws, "express-ws:", "ws", ""},
      {Library::express_ws, "express:", "ws", ""},
      {Library::uwebsockets, "uWebSockets.js:", "ws", ""},
      {Library::websocket_node, "websocket:server()", "on", "connect"},
      {Library::websocket_node, "websocket:server()", "on", "request"},
      {Library::net, "net:createServer", "on", "connection"},
      {Library::net, "net:Server()", "on", "connection"},
      {Library::net, "tls:createServer", "on", "secureConnection"},
      {Library::http, "http:createServer", "on", "request"},
      {Library::http, "https:createServer", "on", "request"},
      {Library::http, "express:", "get", ""},
      {Library::http, "express:", "post", ""},
      {Library::http, "express:", "all", ""},
  };
  return patterns;
}

namespace {

using Names = std::vector<std::string_view>;

const Names socket_ends = {"close", "terminate", "destroy", "end", "disconnect", "destroySoon"};
const Names process_ends = {"kill", "terminate", "disconnect", "destroy"};
const Names redis_ends = {"quit", "disconnect", "close", "destroy"};
const Names watch_ends = {"close", "unwatch", "stop", "unref"};
const Names stream_ends = {"destroy", "close", "end"};
const Names subscription_ends = {"unsubscribe", "unsub", "close", "dispose", "off"};

std::vector<HandleFacts> all_handles() {
  std::vector<HandleFacts> all;
  for (const std::string_view timer : {"setInterval", "setTimeout"})
    all.push_back({ReviewResource::timer, timer, {}, {"clearInterval", "clearTimeout"}, false});
  const auto add = [&](ReviewResource resource, std::initializer_list<std::string_view> givers,
                       const Names& ends, bool disposer = false) {
    for (const std::string_view giver : givers)
      all.push_back({resource, giver, ends, {}, disposer});
  };
  add(ReviewResource::socket,
      {"ws:()", "ws:WebSocket()", "net:connect()", "net:createConnection()", "net:Socket()",
       "tls:connect()", "WebSocket()", "EventSource()", "eventsource:()",
       "reconnecting-websocket:()", "http2:connect()", "socket.io-client:()",
       "socket.io-client:io()", "RTCPeerConnection()"},
      socket_ends);
  add(ReviewResource::process,
      {"child_process:spawn()", "child_process:fork()", "node-pty:spawn()",
       "child_process:execFile()"},
      process_ends);
  add(ReviewResource::worker, {"worker_threads:Worker()", "Worker()"}, process_ends);
  add(ReviewResource::client,
      {"redis:createClient()", "redis:createClient().duplicate()", "ioredis:()", "ioredis:Redis()",
       "ioredis:().duplicate()", "ioredis:Redis().duplicate()"},
      redis_ends);
  add(ReviewResource::watcher, {"fs:watch()", "chokidar:watch()", "fs/promises:watch()"},
      watch_ends);
  add(ReviewResource::stream, {"fs:createReadStream()", "fs:createWriteStream()"}, stream_ends);
  add(ReviewResource::client,
      {"pg:Pool().connect()", "pg:Client()", "mysql2:createConnection()",
       "mysql:createConnection()", "mongodb:MongoClient()"},
      {"release", "end", "close", "destroy"});
  add(ReviewResource::subscription,
      {"rxjs:interval().subscribe()", "rxjs:Subject().subscribe()",
       "rxjs:BehaviorSubject().subscribe()", "rxjs:ReplaySubject().subscribe()",
       "rxjs:fromEvent().subscribe()", "rxjs:timer().subscribe()"},
      subscription_ends, true);
  return all;
}

}  // namespace

std::string_view resource_word(ReviewResource resource) {
  static constexpr std::string_view words[] = {
      "",       "entry",  "listener",     "timer",   "socket", "process",
      "worker", "client", "subscription", "watcher", "stream", "connection"};
  return words[static_cast<std::size_t>(resource)];
}

const HandleFacts* handle_facts(std::string_view external) {
  static const std::vector<HandleFacts> handles = all_handles();
  for (const HandleFacts& facts : handles) {
    if (facts.acquired == external) return &facts;
  }
  return nullptr;
}

bool is_listener_adder(std::string_view method) {
  return one_of(method, {"on", "addListener", "addEventListener", "prependListener"});
}

bool is_listener_remover(std::string_view method) {
  return one_of(method, {"off", "removeListener", "removeEventListener", "removeAllListeners"});
}

const std::vector<BoundedCache>& bounded_caches() {
  static const std::vector<BoundedCache> caches = {
      {"lru-cache:LRUCache()", {"max", "maxSize"}},  // from 7.14
      {"lru-cache:()", {"max", "maxSize"}},
      {"lru-cache:()", {}},  // a number, before 7
      {"lru-cache:default()", {"max", "maxSize"}},
      {"quick-lru:()", {"maxSize"}},
      {"quick-lru:default()", {"maxSize"}},
      {"node-cache:()", {"maxKeys"}},
      {"@isaacs/ttlcache:()", {"max"}},
      {"@isaacs/ttlcache:TTLCache()", {"max"}},
      {"tiny-lru:lru()", {}},
      {"lru_map:LRUMap()", {}},
      {"mnemonist:LRUCache()", {}},
      {"mnemonist:LRUMap()", {}},
      {"flru:()", {}},
      {"hashlru:()", {}},
  };
  return caches;
}

}  // namespace ebbtide
