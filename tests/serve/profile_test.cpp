// Stacks of waiting threads, real ones and made-up ones; what is said and drawn of them.
#include "serve/profile.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serve/collapse_monitor.hpp"
#include "serve/flame_graph.hpp"

namespace {

using namespace racelab::serve;

racelab::stacks::frame frame(const std::string& function, const std::string& module = "program") {
  racelab::stacks::frame made;
  made.function = function;
  made.module = module;
  return made;
}

sampled_stack stack(std::uint64_t count, const std::vector<std::string>& innermost_first) {
  sampled_stack made;
  made.count = count;
  for (const std::string& function : innermost_first) made.frames.push_back(frame(function));
  return made;
}

std::mutex contended;

[[gnu::noinline]] void take_the_contended_lock() {
  const std::lock_guard lock(contended);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // no tail call
}

TEST(Profile, NamesWhoWaitsForALock) {
  std::vector<std::jthread> waiting;
  std::vector<sampled_stack> samples;
  {
    const std::lock_guard held(contended);
    for (int i = 0; i < 4; ++i) waiting.emplace_back(take_the_contended_lock);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    samples = sample_threads(std::chrono::milliseconds(100), std::chrono::milliseconds(10), {});
  }
  const auto lock = most_contended(samples);
  ASSERT_TRUE(lock);
  EXPECT_EQ(lock->function, "(anonymous namespace)::take_the_contended_lock()");
  EXPECT_TRUE(lock->file.ends_with("profile_test.cpp")) << lock->file;
  EXPECT_GT(lock->line, 0);
  EXPECT_GT(lock->share, 0.9);
  std::uint64_t stacks_of_waiting = 0;
  for (const auto& [folded, count] : fold(samples))
    if (folded.find("(anonymous namespace)::take_the_contended_lock()") != std::string::npos &&
        folded.find("pthread_mutex_lock") != std::string::npos)
      stacks_of_waiting += count;
  EXPECT_GE(stacks_of_waiting, 8U);
}

TEST(Profile, TheShareIsOfTheBusyThreads) {
  const std::vector<sampled_stack> samples{
      stack(60, {"__lll_lock_wait", "pthread_mutex_lock", "std::mutex::lock()",
                 "racelab::mutex_lock<racelab::annotated_mutex>::mutex_lock(int)",
                 "racelab::locked_map<int, int>::find(int const&) const", "main"}),
      stack(20, {"pthread_rwlock_rdlock", "ours::look()", "main"}),
      stack(20, {"ours::compute()", "main"}),
      stack(500, {"epoll_wait", "boost::asio::detail::epoll_reactor::run(long)", "main"}),
      stack(300, {"pthread_cond_clockwait", "watch", "main"}),
  };
  const auto lock = most_contended(samples);
  ASSERT_TRUE(lock);
  EXPECT_EQ(lock->function, "racelab::locked_map<…>::find(…) const");
  EXPECT_DOUBLE_EQ(lock->share, 0.6);
}

TEST(Profile, WhereNobodyWaitsThereIsNoLock) {
  EXPECT_FALSE(most_contended({stack(5, {"ours::compute()", "main"}), stack(5, {"epoll_wait", "main"})}));
  EXPECT_FALSE(most_contended({}));
}

TEST(FlameGraph, FoldsStacksFromTheOutermostFunctionIn) {
  const auto folded = fold({stack(2, {"c(int)", "b<int>()", "a()", "start_thread", "clone3"}),
                            stack(1, {"b<char>()", "a()"}), stack(3, {"c(char)", "b<long>()", "a()"})});
  EXPECT_EQ(folded_text(folded), "a();b<…>() 1\na();b<…>();c(…) 5\n");
}

TEST(FlameGraph, TheEventLoopsOwnCallsAreOneBox) {
  const auto folded = fold({stack(1, {"find()", "serve()", "std::coroutine_handle<int>::resume() const",
                                      "boost::asio::detail::awaitable_thread<int>::pump()",
                                      "boost::asio::io_context::run()", "run()"}),
                            stack(2, {"epoll_wait", "boost::asio::detail::epoll_reactor::run(long)",
                                      "boost::asio::io_context::run()", "run()"})});
  EXPECT_EQ(folded_text(folded),
            "run();[Asio and Beast];epoll_wait 2\nrun();[Asio and Beast];serve();find() 1\n");
}

TEST(FlameGraph, IsAPictureWithATitleForEachBox) {
  const std::string svg =
      flame_graph_svg({{"a();b<…>()", 1}, {"a();b<…>();pthread_mutex_lock", 3}}, "locks & \"more\" <…>");
  EXPECT_TRUE(svg.starts_with(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  for (const char* part :
       {"locks &amp; &quot;more&quot; &lt;…&gt;", "<title>all (4 samples, 100.0 %)</title>",
        "<title>b&lt;…&gt;() (4 samples, 100.0 %)</title>",
        "<title>pthread_mutex_lock (3 samples, 75.0 %)</title>", "width=\"900.00\"", "#6f9ff0"})
    EXPECT_NE(svg.find(part), std::string::npos) << part << "\n" << svg;
}

TEST(FlameGraph, ANameThatDoesNotFitIsCutBetweenCharacters) {
  std::string name;
  for (int i = 0; i < 400; ++i) name += "…";
  const std::string svg = flame_graph_svg({{name, 1}}, "");
  const std::size_t begin = svg.find('>', svg.rfind("<text")) + 1;
  const std::string shown = svg.substr(begin, svg.rfind("</text>") - begin);
  EXPECT_LT(shown.size(), 3 * 400U);
  EXPECT_GT(shown.size(), 3 * 100U);
  EXPECT_EQ(shown, name.substr(0, shown.size())) << "not whole characters";
}

TEST(CollapseReport, IsOneLine) {
  collapse_report report{.load = {.before = {.seconds = 1, .operations = 40'000, .cpu_seconds = 2.1},
                                  .now = {.seconds = 1, .operations = 9'000, .cpu_seconds = 6.4}},
                         .lock = contended_lock{.function = "racelab::locked_map<…>::find(…) const",
                                                .file = "fixes/support/locked_map.hpp",
                                                .line = 27,
                                                .share = 0.834},
                         .folded = "d/collapse-1.folded",
                         .picture = "d/collapse-1.svg"};
  EXPECT_EQ(said(report),
            "contention collapse: 40000 -> 9000 operations/s while 2.10 -> 6.40 processors are used; "
            "contended lock: taken by "
            "racelab::locked_map<…>::find(…) const (fixes/support/locked_map.hpp:27), where 83 % of the busy "
            "threads wait; "
            "d/collapse-1.svg");
  report.lock.reset();
  EXPECT_NE(said(report).find("no thread was seen waiting for a lock; d/collapse-1.svg"), std::string::npos);
}

}  // namespace
