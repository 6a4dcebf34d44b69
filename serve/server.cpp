// A worker is a thread with an io_context of its own, and a connection stays with its worker: no strand and no lock is
// shared but the map's. The thread that called run() accepts, and hands connections out in turn.
#include "serve/server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <list>
#include <optional>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "serve/lock_waits.hpp"
#include "serve/target.hpp"

namespace racelab::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

using request = http::request<http::string_body>;
using response = http::response<http::string_body>;

// Errors are values here: a client that goes away is nothing exceptional.
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

response text(http::status status, std::string body) {
  response made(status, 11);
  made.set(http::field::content_type, "text/plain; charset=utf-8");
  made.body() = std::move(body);
  return made;
}

response not_allowed(const char* allowed) {
  response made = text(http::status::method_not_allowed, fmt::format("use {}\n", allowed));
  made.set(http::field::allow, allowed);
  return made;
}

/// What a request that could not be read is answered with; nothing if there is nobody to answer.
std::optional<response> refusal(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return text(http::status::request_header_fields_too_large, "the header is too large\n");
  if (error == http::error::body_limit)
    return text(http::status::payload_too_large, "the body is too large\n");
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  if (error.category() == make_error_code(http::error::bad_method).category())
    return text(http::status::bad_request, fmt::format("{}\n", error.message()));
  return std::nullopt;
}

class connection;

/// Everything but the counters is touched by the worker's own thread alone, once it runs.
struct worker {
  asio::io_context context{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> more_may_come{
      context.get_executor()};
  std::list<connection*> open;
  asio::steady_timer grace{context};
  worker_counters* counted = nullptr;
};

}  // namespace

struct server_state {
  server_state(std::string name, store& on, counters& with, const server_options& chosen)
      : map(std::move(name)), served(on), counted(with), options(chosen), workers(chosen.threads) {
    for (std::size_t i = 0; i < workers.size(); ++i) workers[i].counted = &counted.of(i);
  }

  response answer(const request& asked, worker_counters& counting);
  response answer_about(const std::string& key, const request& asked, worker_counters& counting);
  asio::awaitable<void> accept();
  void begin_stop();

  const std::string map;
  store& served;
  counters& counted;
  const server_options options;
  std::vector<worker> workers;
  asio::io_context control{1};
  tcp::acceptor acceptor{control};
  asio::signal_set signals{control};
  std::atomic<bool> stopping{false};  // relaxed: a worker that learns of it later is told by a post
};

namespace {

class connection {
 public:
  connection(server_state& of, worker& at, tcp::socket socket);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection();

  asio::awaitable<void> serve();

  /// Waits for a request of which nothing has come yet.
  [[nodiscard]] bool idle() {
    error_code ignored;
    return waiting_ && buffer_.size() == 0 && !parser_->got_some() &&
           stream_.socket().available(ignored) == 0;
  }
  void cut_off() { stream_.close(); }

 private:
  asio::awaitable<error_code> read();
  asio::awaitable<error_code> write(response made, bool head_only);
  asio::awaitable<void> close_gently();

  server_state& server_;
  worker& worker_;
  std::list<connection*>::iterator listed_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  bool waiting_ = false;
};

connection::connection(server_state& of, worker& at, tcp::socket socket)
    : server_(of),
      worker_(at),
      listed_(at.open.insert(at.open.end(), this)),
      stream_(std::move(socket)),
      // A header, and a piece of a body beside it.
      buffer_(std::size_t{of.options.header_limit} + (std::size_t{64} << 10U)) {
  error_code ignored;
  std::ignore = stream_.socket().set_option(tcp::no_delay(true), ignored);
  add(worker_.counted->opened);
}

connection::~connection() {
  add(worker_.counted->closed);
  worker_.open.erase(listed_);
}

asio::awaitable<error_code> connection::read() {
  parser_.emplace();
  parser_->header_limit(server_.options.header_limit);
  parser_->body_limit(server_.options.body_limit);
  stream_.expires_after(server_.options.idle_timeout);
  waiting_ = true;
  auto [error, size] = co_await http::async_read_header(stream_, buffer_, *parser_, as_values);
  waiting_ = false;
  if (error || parser_->is_done()) co_return error;
  stream_.expires_after(server_.options.idle_timeout);
  if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
    const http::response<http::empty_body> go_on(http::status::continue_, 11);
    std::tie(error, size) = co_await http::async_write(stream_, go_on, as_values);
    if (error) co_return error;
  }
  std::tie(error, size) = co_await http::async_read(stream_, buffer_, *parser_, as_values);
  co_return error;
}

asio::awaitable<error_code> connection::write(response made, bool head_only) {
  // RFC 9110: an answer without content has no length either.
  if (made.result() != http::status::no_content) made.content_length(made.body().size());
  worker_.counted->count_response(made.result_int());
  stream_.expires_after(server_.options.idle_timeout);
  http::response_serializer<http::string_body> serializer(made);
  if (head_only) {
    const auto [error, size] = co_await http::async_write_header(stream_, serializer, as_values);
    co_return error;
  }
  const auto [error, size] = co_await http::async_write(stream_, serializer, as_values);
  co_return error;
}

/// Closing at once what still has unread bytes would reset the connection, and the client might never see the answer.
asio::awaitable<void> connection::close_gently() {
  error_code ignored;
  std::ignore = stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  stream_.expires_after(std::chrono::seconds(1));
  std::array<char, 4096> unread{};
  for (std::size_t total = 0; total < (std::size_t{16} << 20U);) {
    const auto [error, size] = co_await stream_.async_read_some(asio::buffer(unread), as_values);
    if (error) break;
    total += size;
  }
}

asio::awaitable<void> connection::serve() {
  for (;;) {
    const error_code error = co_await read();
    if (error) {
      if (auto refused = refusal(error)) {
        refused->keep_alive(false);
        const error_code lost = co_await write(std::move(*refused), false);
        if (!lost) co_await close_gently();
      }
      co_return;
    }
    const request& asked = parser_->get();
    response made = server_.answer(asked, *worker_.counted);
    made.version(asked.version());
    const bool again = asked.keep_alive() && !server_.stopping.load(std::memory_order_relaxed);
    made.keep_alive(again);
    const error_code lost = co_await write(std::move(made), asked.method() == http::verb::head);
    if (lost) co_return;
    if (!again) {
      co_await close_gently();
      co_return;
    }
  }
}

asio::awaitable<void> serve_one(server_state* of, worker* at, tcp::socket socket) {
  {
    connection open(*of, *at, std::move(socket));
    co_await open.serve();
  }
  if (at->open.empty()) at->grace.cancel();
}

}  // namespace

response server_state::answer(const request& asked, worker_counters& counting) {
  const std::string_view path = path_of({asked.target().data(), asked.target().size()});
  const bool reads = asked.method() == http::verb::get || asked.method() == http::verb::head;
  constexpr std::string_view prefix = "/kv/";
  try {
    if (path == "/metrics") {
      if (!reads) return not_allowed("GET, HEAD");
      response made(http::status::ok, 11);
      made.set(http::field::content_type, prometheus_content_type);
      made.body() = prometheus_text(map, counted, served.metrics());
      return made;
    }
    if (!path.starts_with(prefix)) return text(http::status::not_found, "there are /kv/{key} and /metrics\n");
    const auto key = percent_decoded(path.substr(prefix.size()));
    if (!key) return text(http::status::bad_request, "the key is not percent-encoded\n");
    if (key->empty()) return text(http::status::bad_request, "there is no key\n");
    return answer_about(*key, asked, counting);
  } catch (const std::exception& error) {
    // Of the map: no memory, say. The contract has it that the map is as it was.
    return text(http::status::internal_server_error, fmt::format("{}\n", error.what()));
  }
}

response server_state::answer_about(const std::string& key, const request& asked, worker_counters& counting) {
  const inside_map counted_locks(counting.locks);
  switch (asked.method()) {
    case http::verb::get:
    case http::verb::head: {
      std::optional<std::string> value = served.get(key);
      counting.count(value ? outcome::get_hit : outcome::get_miss);
      if (!value) return text(http::status::not_found, "no such key\n");
      response made(http::status::ok, 11);
      made.set(http::field::content_type, "application/octet-stream");
      made.body() = std::move(*value);
      return made;
    }
    case http::verb::put: {
      const bool created = served.put(key, asked.body()) == put_result::created;
      counting.count(created ? outcome::put_created : outcome::put_replaced);
      return {created ? http::status::created : http::status::no_content, 11};
    }
    case http::verb::delete_:
      counting.count(served.erase(key) ? outcome::delete_removed : outcome::delete_absent);
      return {http::status::no_content, 11};
    default:
      return not_allowed("GET, HEAD, PUT, DELETE");
  }
}

asio::awaitable<void> server_state::accept() {
  for (std::size_t next = 0;; next = (next + 1) % workers.size()) {
    worker& chosen = workers[next];
    auto [error, socket] = co_await acceptor.async_accept(chosen.context, as_values);
    if (stopping.load(std::memory_order_relaxed)) co_return;
    if (error) {
      // Out of descriptors, mostly: connections that end give some back.
      asio::steady_timer pause(control, std::chrono::milliseconds(50));
      co_await pause.async_wait(as_values);
      if (stopping.load(std::memory_order_relaxed)) co_return;
      continue;
    }
    asio::co_spawn(chosen.context, serve_one(this, &chosen, std::move(socket)), asio::detached);
  }
}

/// On the accepting thread. What it posts comes to a worker after the connections that it has handed to it.
void server_state::begin_stop() {
  if (stopping.exchange(true, std::memory_order_relaxed)) return;
  error_code ignored;
  std::ignore = acceptor.close(ignored);
  std::ignore = signals.cancel(ignored);
  for (worker& each : workers)
    asio::post(each.context, [&each, this] {
      each.more_may_come.reset();
      for (connection* const open : each.open)
        if (open->idle()) open->cut_off();
      if (each.open.empty()) return;
      each.grace.expires_after(options.grace);
      each.grace.async_wait([&each](const error_code& cancelled) {
        if (cancelled) return;
        for (connection* const open : each.open) open->cut_off();
      });
    });
}

server::server(std::string map, store& served, counters& counted, const server_options& options)
    : state_(std::make_unique<server_state>(std::move(map), served, counted, options)) {
  const auto refuse = [&](const error_code& error) {
    throw std::system_error(error, fmt::format("port {} of {}", options.port, options.address));
  };
  error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) throw std::system_error(error, options.address);
  const tcp::endpoint at(address, options.port);
  tcp::acceptor& acceptor = state_->acceptor;
  if (acceptor.open(at.protocol(), error)) refuse(error);
  // A port whose last connections are still being forgotten can be had; one that somebody listens on can't.
  if (acceptor.set_option(tcp::acceptor::reuse_address(true), error)) refuse(error);
  if (acceptor.bind(at, error)) refuse(error);
  if (acceptor.listen(asio::socket_base::max_listen_connections, error)) refuse(error);
  state_->signals.add(SIGINT);
  state_->signals.add(SIGTERM);
}

server::~server() = default;

std::uint16_t server::port() const { return state_->acceptor.local_endpoint().port(); }

std::string server::url() const {
  const auto at = state_->acceptor.local_endpoint();
  const std::string address = at.address().to_string();
  return fmt::format("http://{}:{}", at.address().is_v6() ? "[" + address + "]" : address, at.port());
}

void server::run() {
  server_state& now = *state_;
  now.signals.async_wait([&now](const error_code& error, int) {
    if (!error) now.begin_stop();
  });
  asio::co_spawn(now.control, now.accept(), asio::detached);
  std::vector<std::jthread> threads;
  threads.reserve(now.workers.size());
  for (worker& each : now.workers) threads.emplace_back([&each] { each.context.run(); });
  now.control.run();
}

void server::stop() {
  asio::post(state_->control, [this] { state_->begin_stop(); });
}

}  // namespace racelab::serve
