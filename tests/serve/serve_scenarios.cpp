// What a client sees of `racelab serve`, and what its user sees.
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/serve/http_client.hpp"
#include "tests/serve/running_server.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_tool.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/text.hpp"

namespace {

using namespace std::chrono_literals;
using racelab::lab::trial_result;
using racelab::tests::contains;
using racelab::tests::has_tools;
using racelab::tests::http_answer;
using racelab::tests::http_client;
using racelab::tests::lines;
using racelab::tests::run_tool;
using racelab::tests::running_server;
using racelab::tests::usual_path;

std::vector<std::string> command(const std::string& map, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{RACELAB_COMMAND, "serve", "--map", map, "--port", "0", "--no-collapse"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// Processes that run this program.
std::size_t running(const std::filesystem::path& program) {
  std::size_t count = 0;
  for (const auto& process : std::filesystem::directory_iterator("/proc")) {
    std::error_code not_ours;
    if (std::filesystem::read_symlink(process.path() / "exe", not_ours) == program) ++count;
  }
  return count;
}

/// The value of a metric; -1 if it is not there.
double metric(const std::string& text, const std::string& name) {
  for (const std::string& line : lines(text))
    if (line.starts_with(name + " ")) return std::stod(line.substr(name.size() + 1));
  return -1;
}

}  // namespace

SCENARIO("A map is served over HTTP, on one connection") {
  for (const std::string map : {"mutex_map", "sharded_map", "bucket_snapshot_map"}) {
    GIVEN("a server over " + map) {
      running_server server(command(map));
      CHECK(std::regex_match(
          server.line(),
          std::regex("racelab: serving " + map + " at http://127\\.0\\.0\\.1:[0-9]+ by [0-9]+ threads")));
      http_client client(server.port());
      THEN("a key is put, got, replaced and deleted, all on the same connection") {
        CHECK(client.ask("GET", "/kv/a").status == 404);
        CHECK(client.ask("PUT", "/kv/a", "one").status == 201);
        const http_answer got = client.ask("GET", "/kv/a");
        CHECK(got.status == 200);
        CHECK(got.body == "one");
        CHECK(got.has("content-length: 3"));
        CHECK(client.ask("PUT", "/kv/a", "two!").status == 204);
        CHECK(client.ask("GET", "/kv/a").body == "two!");
        const http_answer head = client.ask("HEAD", "/kv/a");
        CHECK(head.status == 200);
        CHECK(head.has("content-length: 4"));
        const http_answer gone = client.ask("DELETE", "/kv/a");
        CHECK(gone.status == 204);
        CHECK_FALSE(contains(gone.header, "content-length"));
        CHECK(client.ask("DELETE", "/kv/a").status == 204);
        CHECK(client.ask("GET", "/kv/a").status == 404);
        CHECK(client.ask("HEAD", "/kv/a").status == 404);
        CHECK(client.ask("PUT", "/kv/empty").status == 201);
        CHECK(client.ask("GET", "/kv/empty").status == 200);
        const std::string large(1'000'000, 'x');
        CHECK(client.ask("PUT", "/kv/large", large).status == 201);
        CHECK(client.ask("GET", "/kv/large").body == large);
        CHECK(metric(client.ask("GET", "/metrics").body, "racelab_connections_total") == 1);
      }
      THEN("what is asked all at once is answered in order") {
        client.send(
            "PUT /kv/p HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nvGET /kv/p HTTP/1.1\r\nHost: x\r\n\r\n"
            "DELETE /kv/p HTTP/1.1\r\nHost: x\r\n\r\n");
        CHECK(client.read().status == 201);
        CHECK(client.read().body == "v");
        CHECK(client.read().status == 204);
      }
      CHECK(server.stop() == 0);
    }
  }
}

SCENARIO("What is no request for a key is answered with what is wrong") {
  GIVEN("a server") {
    running_server server(
        command("mutex_map", {"--body-limit", "1000", "--header-limit", "1024", "--idle-timeout", "0.4"}));
    std::optional<http_client> client(std::in_place, server.port());
    THEN("the connection goes on where the request could be read") {
      CHECK(client->ask("PUT", "/kv/a%20b%2Fc", "x").status == 201);
      CHECK(client->ask("GET", "/kv/a%20b/c?why=not").body == "x");
      CHECK(client->ask("GET", "http://test/kv/a%20b/c").body == "x");
      CHECK(client->ask("GET", "/kv/%zz").status == 400);
      CHECK(client->ask("GET", "/kv/").status == 400);
      CHECK(client->ask("GET", "/").status == 404);
      CHECK(client->ask("GET", "/kv").status == 404);
      const http_answer post = client->ask("POST", "/kv/a", "x");
      CHECK(post.status == 405);
      CHECK(post.has("allow: get, head, put, delete"));
      CHECK(client->ask("DELETE", "/metrics").status == 405);
      CHECK(client->ask("PUT", "/kv/fits", std::string(1000, 'x')).status == 201);
    }
    THEN("a body over the limit is refused before it comes, and the connection closed") {
      client->send("PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
      const http_answer refused = client->read();
      CHECK(refused.status == 413);
      CHECK(refused.has("connection: close"));
      CHECK(client->is_closed());
    }
    THEN("so is one that comes in chunks, once it is too large") {
      client->send("PUT /kv/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (int i = 0; i < 3; ++i) client->send("190\r\n" + std::string(400, 'x') + "\r\n");
      client->send("0\r\n\r\n");
      CHECK(client->read().status == 413);
      CHECK(client->is_closed());
    }
    THEN("so is a header over the limit") {
      CHECK(client->ask("GET", "/kv/" + std::string(2000, 'k')).status == 431);
      CHECK(client->is_closed());
    }
    THEN("so is what is no HTTP") {
      client->send("what is this\r\n\r\n");
      CHECK(client->read().status == 400);
      CHECK(client->is_closed());
    }
    THEN("so is a length that is none") {
      client->send("PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n");
      CHECK(client->read().status == 400);
    }
    THEN("a client that asks whether it may go on may") {
      client->send("PUT /kv/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
      CHECK(client->read().status == 100);
      client->send("ok");
      CHECK(client->read().status == 201);
    }
    THEN("a client of HTTP/1.0 is answered, and let go") {
      client->send("GET /kv/a HTTP/1.0\r\n\r\n");
      CHECK(client->read().status == 404);
      CHECK(client->is_closed());
    }
    THEN("a client that is silent, or too slow, is let go") {
      http_client slow(server.port());
      slow.send("GET /kv/");
      CHECK(client->is_closed());
      CHECK(slow.is_closed());
    }
    client.reset();  // or the server waits a second for it to go
    CHECK(server.stop() == 0);
  }
}

SCENARIO("Metrics are Prometheus' text, and tell what the map knows of itself") {
  const auto of = [](const std::string& map) {
    running_server server(command(map, {"--preload", "10"}));
    http_client client(server.port());
    client.ask("GET", "/kv/key-1");
    client.ask("GET", "/kv/none");
    client.ask("DELETE", "/kv/key-2");
    client.ask("PUT", "/kv/new", "value");
    const http_answer answer = client.ask("GET", "/metrics");
    CHECK(answer.status == 200);
    CHECK(answer.has("content-type: text/plain; version=0.0.4; charset=utf-8"));
    CHECK(server.stop() == 0);
    return answer.body;
  };
  GIVEN("the metrics of any map") {
    const std::string text = of("mutex_map");
    THEN("each line is one, and each metric has its help and its type before its values") {
      static const std::regex sample(
          R"re(([a-z_]+)(\{[a-z]+="[a-z0-9_]*"(,[a-z]+="[a-z0-9_]*")*\})? [0-9.e+-]+)re");
      std::set<std::string> helped;
      std::set<std::string> typed;
      for (const std::string& line : lines(text)) {
        std::istringstream words(line);
        std::string hash;
        std::string kind;
        std::string name;
        words >> hash >> kind >> name;
        std::smatch matched;
        if (hash != "#") {
          INFO(line);
          REQUIRE(std::regex_match(line, matched, sample));
          CHECK(helped.contains(matched[1]));
          CHECK(typed.contains(matched[1]));
        } else {
          CHECK((kind == "HELP" || kind == "TYPE"));
          CHECK((kind == "HELP" ? helped : typed).insert(name).second);
        }
      }
      CHECK(helped.size() >= 8);
    }
    THEN("operations are counted by what came of them") {
      CHECK(metric(text, R"(racelab_operations_total{operation="get",result="hit"})") == 1);
      CHECK(metric(text, R"(racelab_operations_total{operation="get",result="miss"})") == 1);
      CHECK(metric(text, R"(racelab_operations_total{operation="delete",result="removed"})") == 1);
      CHECK(metric(text, R"(racelab_operations_total{operation="put",result="created"})") == 1);
      CHECK(metric(text, R"(racelab_http_responses_total{code="404"})") == 1);
      CHECK(metric(text, "racelab_lock_waits_total") == 0);
      CHECK(metric(text, "process_cpu_seconds_total") > 0);
    }
  }
  GIVEN("maps that know more") {
    THEN("shards, retries and tombstones are told by the map that has them, and by no other") {
      const std::string shards = of("sharded_map");
      CHECK(metric(shards, "racelab_hot_shard_splits_total") == 0);
      CHECK(metric(shards, "racelab_shards") == 16);
      CHECK(metric(shards, "racelab_lock_waits_total") == 0);
      const std::string retries = of("cas_snapshot_map");
      CHECK(metric(retries, "racelab_retries_total") == 0);
      CHECK(metric(retries, "racelab_lock_waits_total") == -1);
      CHECK(metric(retries, "racelab_shards") == -1);
      const std::string tombstones = of("tombstone_map");
      CHECK(metric(tombstones, R"(racelab_tombstones{state="pending"})") +
                metric(tombstones, R"(racelab_tombstones{state="safe"})") +
                metric(tombstones, "racelab_tombstones_purged_total") ==
            1);
      CHECK(metric(tombstones, "racelab_retries_total") == -1);
    }
  }
}

SCENARIO("A server that is stopped finishes what it has begun") {
  GIVEN("a server with an idle connection and one in the middle of a request") {
    running_server server(command("mutex_map"));
    http_client idle(server.port());
    CHECK(idle.ask("GET", "/kv/a").status == 404);
    http_client busy(server.port());
    CHECK(busy.ask("GET", "/kv/a").status == 404);
    busy.send("PUT /kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nval");
    std::this_thread::sleep_for(100ms);  // for the server to read it
    WHEN("it is told to stop") {
      server.send_signal(SIGTERM);
      THEN("the idle one is closed, the other is answered, nobody is let in, and it ends well") {
        CHECK(idle.is_closed());
        CHECK_THROWS(http_client(server.port()));
        busy.send("ue!");
        const http_answer answer = busy.read();
        CHECK(answer.status == 201);
        CHECK(answer.has("connection: close"));
        CHECK(busy.is_closed());
        CHECK(server.wait_for_end() == 0);
      }
    }
    WHEN("it is interrupted, and the request never ends") {
      server.send_signal(SIGINT);
      THEN("it ends all the same, within the grace") {
        CHECK(server.wait_for_end(6s) == 0);
        CHECK(busy.is_closed());
      }
    }
  }
  GIVEN("a server that is stopped under load") {
    running_server server(command("sharded_map", {"--preload", "100"}));
    std::atomic<int> cut{0};
    std::atomic<int> answered{0};
    std::vector<std::jthread> clients;
    for (int i = 0; i < 8; ++i)
      clients.emplace_back([&] {
        http_client client(server.port());
        for (;;) {
          const http_answer answer = client.ask("GET", "/kv/key-1");
          if (answer.status == 0) {
            cut.fetch_add(1);
            return;
          }
          answered.fetch_add(1);
          if (answer.status != 200 || answer.has("connection: close")) return;
        }
      });
    while (answered < 200) std::this_thread::sleep_for(1ms);
    THEN("it ends well and soon, and every client learns of it") {
      CHECK(server.stop() == 0);
      clients.clear();
      CHECK(cut <= 8);
    }
  }
}

SCENARIO("What can't be served costs one line") {
  const auto refused = [](const std::vector<std::string>& arguments, const std::string& what) {
    const trial_result result = run_tool(RACELAB_COMMAND, arguments);
    INFO(result.standard_error);
    CHECK(result.exit_code == 2);
    CHECK(lines(result.standard_error).size() == 1);
    CHECK(result.standard_error.starts_with("racelab: "));
    CHECK(contains(result.standard_error, what));
    CHECK(result.standard_output.empty());
  };
  GIVEN("mistakes") {
    running_server other(command("mutex_map"));
    const std::string port = std::to_string(other.port());
    refused({"serve", "--map", "no_such_map"},
            "no map 'no_such_map': there are bucket_snapshot_map, cas_snapshot_map, ");
    refused({"serve"}, "which map?");
    refused({"serve", "--map", "mutex_map", "--port", port},
            "port " + port + " of 127.0.0.1: Address already in use");
    refused({"serve", "--map", "mutex_map", "--port", "65536"}, "--port");
    refused({"serve", "--map", "mutex_map", "--address", "nowhere"}, "nowhere");
    refused({"serve", "--map", "mutex_map", "--threads", "0"}, "--threads");
    refused({"serve", "--map", "mutex_map", "--bare", "1"}, "--preload");
  }
  GIVEN("questions") {
    const trial_result help = run_tool(RACELAB_COMMAND, {"serve", "--help"});
    CHECK(help.exit_code == 0);
    for (const char* part : {"--map", "--body-limit", "Examples:", "Exit codes:"})
      CHECK(contains(help.standard_output, part));
    const trial_result names = run_tool(RACELAB_COMMAND, {"serve", "--list"});
    CHECK(names.exit_code == 0);
    CHECK(contains(names.standard_output, "mutex_map\nmutex_shards\nrw_lock_map\n"));
    const trial_result bare =
        run_tool(RACELAB_COMMAND, {"serve", "--map", "mutex_map", "--preload", "10", "--bare", "0.05"});
    CHECK(bare.exit_code == 0);
    CHECK(contains(bare.standard_output, "\"operations_per_s\":"));
  }
  GIVEN("a command without the server beside it") {
    const std::filesystem::path folder = std::filesystem::path(RACELAB_BUILD) / "serve_test_alone";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    std::filesystem::create_hard_link(RACELAB_COMMAND, folder / "racelab");
    const trial_result result = run_tool(folder / "racelab", {"serve", "--map", "mutex_map"});
    CHECK(result.exit_code == 2);
    CHECK(lines(result.standard_error).size() == 1);
    CHECK(contains(result.standard_error, "the server is not built: make serve"));
    std::filesystem::remove_all(folder);
  }
}

namespace {

/// Eight that ask for a key, and think for a while before they ask again.
std::vector<std::jthread> calm_clients(std::uint16_t port) {
  std::vector<std::jthread> clients;
  for (int i = 0; i < 8; ++i)
    clients.emplace_back([port](const std::stop_token& stop) {
      http_client client(port);
      while (!stop.stop_requested()) {
        client.ask("GET", "/kv/key");
        std::this_thread::sleep_for(3ms);
      }
    });
  return clients;
}

}  // namespace

SCENARIO("A contention collapse is seen, and the lock is named") {
  GIVEN("clients that ask a server now and then") {
    const scratch_folder folder;
    running_server server({COLLAPSING_SERVER, (folder / "seen").string()});
    auto clients = calm_clients(server.port());
    CHECK(server.complaint(800ms).empty());
    WHEN("its map wears out: whoever has the lock computes, and the others wait") {
      CHECK(http_client(server.port()).ask("PUT", "/kv/wear-out", "1").status == 201);
      const std::string line = server.complaint(15s);
      clients.clear();
      THEN("one line names the lock, and the stacks are written down, folded and drawn") {
        INFO(line);
        CHECK(line.starts_with("contention collapse: "));
        CHECK(contains(line, "contended lock: taken by racelab::tests::wearing_map::get(…) const"));
        CHECK(contains(line, "collapsing_server.cpp:"));
        CHECK(contains(line, (folder / "seen/collapse-1.svg").string()));
        const std::string folded = racelab::lab::content_of(folder / "seen/collapse-1.folded");
        static const std::regex folded_line(R"([^;\n]+(;[^;\n]+)* [1-9][0-9]*)");
        bool waits = false;
        bool computes = false;
        for (const std::string& each : lines(folded)) {
          INFO(each);
          CHECK(std::regex_match(each, folded_line));
          const std::size_t map = each.find("racelab::tests::wearing_map::get");
          if (map == std::string::npos) continue;
          waits = waits || each.find("pthread_mutex_lock", map) != std::string::npos;
          computes = computes || each.find("compute", map) != std::string::npos;
        }
        CHECK(waits);
        CHECK(computes);
        const std::string picture = racelab::lab::content_of(folder / "seen/collapse-1.svg");
        CHECK(contains(picture, "<svg "));
        CHECK(contains(picture, "contended lock: taken by racelab::tests::wearing_map::get(…) const"));
        CHECK(contains(picture, "<title>racelab::tests::wearing_map::get(…) const ("));
        CHECK(server.stop() == 0);
      }
    }
  }
}

SCENARIO("racelab serve watches for a collapse") {
  GIVEN("clients that ask it for a short value") {
    const scratch_folder folder;
    running_server server({RACELAB_COMMAND, "serve", "--map", "mutex_map", "--port", "0", "--threads", "8",
                           "--body-limit", "20000000", "--collapse-period", "0.2", "--collapse-dir",
                           (folder / "seen").string()});
    http_client writer(server.port());
    CHECK(writer.ask("PUT", "/kv/key", "short").status == 201);
    auto clients = calm_clients(server.port());
    CHECK(server.complaint(800ms).empty());
    WHEN("the value becomes so long that copying it under the lock, and sending it, takes all processors") {
      CHECK(writer.ask("PUT", "/kv/key", std::string(20'000'000, 'x')).status == 204);
      const std::string line = server.complaint(15s);
      clients.clear();
      THEN("that is told, written down and counted") {
        CHECK(line.starts_with("racelab: serve: contention collapse: "));
        CHECK(std::filesystem::file_size(folder / "seen/collapse-1.folded") > 0);
        CHECK(metric(writer.ask("GET", "/metrics").body, "racelab_collapses_total") == 1);
        CHECK(server.stop() == 0);
      }
    }
  }
}

SCENARIO("make bench-http measures maps over HTTP and bare") {
  // The interpreter itself: what stands for it may be a script that needs a PATH.
  const std::string python =
      run_tool(PYTHON, {"-c", "import sys; print(sys.executable, end='')"}).standard_output;
  const auto bench = [&python](const std::vector<std::string>& arguments, const char* path = usual_path) {
    std::vector<std::string> words{BENCH_HTTP, "--build", RACELAB_BUILD, "--quick"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run_tool(python, words, {path});
  };
  GIVEN("no wrk") {
    const trial_result result = bench({}, "PATH=/nowhere");
    CHECK(result.exit_code == 2);
    CHECK(result.standard_error == "bench_http: there is no wrk (Debian's package is wrk)\n");
  }
  GIVEN("a map that there is not") {
    if (!has_tools({"wrk"})) return;
    const trial_result result = bench({"--map", "no_such_map"});
    CHECK(result.exit_code == 2);
    CHECK(lines(result.standard_error).size() == 1);
    CHECK(contains(result.standard_error, "no map 'no_such_map'"));
  }
  GIVEN("a run that is stopped while its servers are up") {
    if (!has_tools({"wrk"})) return;
    CHECK(running(RACELAB_SERVE) == 0);
    const std::string script = python +
                               " " BENCH_HTTP " --build " RACELAB_BUILD
                               " --quick --map mutex_map --map sharded_map & sleep 1; kill -TERM $!; wait $!";
    const trial_result result = run_tool("/bin/sh", {"-c", script});
    CHECK(result.exit_code == 130);
    CHECK(result.standard_error.empty());
    CHECK(running(RACELAB_SERVE) == 0);
  }
  GIVEN("two maps") {
    if (!has_tools({"wrk"})) return;
    const scratch_folder folder;
    const trial_result result =
        bench({"--map", "sharded_map", "--map", "mutex_shards", "--results", (folder / "r").string()});
    THEN("each has its line, nothing failed, and the values are written down") {
      INFO(result.standard_output << result.standard_error);
      // One round may say anything of the cost of a scrape; of failed requests it says what is so.
      CHECK((result.exit_code == 0 || result.exit_code == 1));
      CHECK(std::regex_search(result.standard_output, std::regex(R"(\n  sharded_map +[0-9]+  [0-9.]+ \[)")));
      CHECK(std::regex_search(result.standard_output, std::regex(R"(\n  mutex_shards +[0-9]+  1 )")));
      CHECK(std::regex_search(result.standard_output, std::regex(R"(\n[1-9][0-9]* requests, 0 failed\.\n)")));
      CHECK(contains(result.standard_output, "Scraping /metrics of sharded_map"));
      CHECK(contains(racelab::lab::content_of(folder / "r/http_bench.csv"), "sharded_map,bare,ops_per_s,0,"));
      CHECK(contains(racelab::lab::content_of(folder / "r/http_bench.json"), "\"question\": \"http_bench\""));
      CHECK(racelab::lab::content_of(folder / "r/http_bench.txt") == result.standard_output);
    }
  }
}
