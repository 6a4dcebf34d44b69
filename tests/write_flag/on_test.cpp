// The policy `on`, driven by hand as a map with a flags byte drives it: how the other thread is found, and
// how often is reported.
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <thread>

#include "sanitizers/write_flag/report.hpp"
#include "stacks/threads.hpp"
#include "tests/write_flag/recorder.hpp"
#include "tests/write_flag/stop.hpp"

namespace {

using racelab::write_flag::caught_bit;
using racelab::write_flag::misuse;
using racelab::write_flag::on;
using racelab::write_flag::other_thread;
using racelab::write_flag::times_found;
using racelab::write_flag::times_reported;

// A map without a map: its flag and the calls that go with it, in Go's order.
class flag_only {
 public:
  [[gnu::noinline]] void begin_write() {
    if (written()) on::found(misuse::writes, this, flags_);
    on::entered(this);
    flags_.fetch_xor(writing);
  }
  [[gnu::noinline]] void end_write() {
    if ((flags_ & (writing | caught_bit)) != writing) on::found(misuse::writes, this, flags_);
    flags_.fetch_and(static_cast<std::uint8_t>(~(writing | caught_bit)));
    on::left(this);
  }
  [[gnu::noinline]] void read() {
    if (written()) on::found(misuse::read_and_write, this, flags_);
  }
  [[nodiscard]] bool caught() const { return (flags_ & caught_bit) != 0; }

 private:
  static constexpr std::uint8_t writing = 4;
  [[nodiscard]] bool written() const { return (flags_ & writing) != 0; }
  std::atomic<std::uint8_t> flags_{0};
};

template <typename Condition> void wait_until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

void answer_no_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

[[gnu::noinline]] void write_and_stop(flag_only& map, stop& at) {
  map.begin_write();
  at.pass();
  map.end_write();
}
[[gnu::noinline]] void write_until_caught(flag_only& map, stop& inside) {
  map.begin_write();
  inside.open();
  inside.pass();
  wait_until([&] { return map.caught(); });
  map.end_write();
}
[[gnu::noinline]] void just_read(flag_only& map) { map.read(); }
[[gnu::noinline]] void just_write(flag_only& map) {
  map.begin_write();
  map.end_write();
}

class policy_on : public testing::Test {
 protected:
  recorder findings_;
  flag_only map_;
};

TEST_F(policy_on, asks_the_writer_by_signal) {
  stop at;
  std::thread writer([&] { write_and_stop(map_, at); });
  at.wait_until_inside();
  just_read(map_);
  at.open();
  writer.join();
  const auto found = findings_.all();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].other, other_thread::inside);
  EXPECT_TRUE(names(found[0].threads[0], "just_read"));
  EXPECT_TRUE(names(found[0].threads[1], "write_and_stop"));
}

TEST_F(policy_on, takes_the_stack_that_the_writer_lends_on_its_way_out) {
  const auto before = times_found();
  stop inside;
  std::thread writer([&] {
    answer_no_signals();
    write_until_caught(map_, inside);
  });
  inside.wait_until_inside();
  just_read(map_);
  writer.join();
  const auto found = findings_.all();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].other, other_thread::inside);
  ASSERT_EQ(found[0].threads.size(), 2U);
  EXPECT_TRUE(names(found[0].threads[1], "write_until_caught"));
  EXPECT_EQ(times_found() - before, 1U) << "meeting the mark is no second finding";
  EXPECT_FALSE(map_.caught());
}

TEST_F(policy_on, a_second_writer_lends_its_stack_to_the_first_one_that_reports) {
  const auto before = times_found();
  stop at;
  std::thread silent([&] {
    answer_no_signals();
    write_and_stop(map_, at);
  });
  at.wait_until_inside();
  std::thread second([&] {
    wait_until([&] { return map_.caught(); });
    just_write(map_);
  });
  just_read(map_);
  at.open();
  silent.join();
  second.join();
  const auto found = findings_.all();
  ASSERT_GE(found.size(), 1U);
  EXPECT_EQ(found[0].what, misuse::read_and_write);
  EXPECT_EQ(found[0].other, other_thread::inside);
  EXPECT_TRUE(names(found[0].threads[1], "just_write"));
  EXPECT_GE(times_found() - before, 2U);
}

TEST_F(policy_on, a_reader_is_not_another_readers_pair) {
  stop at;
  std::thread silent([&] {
    answer_no_signals();
    write_and_stop(map_, at);
  });
  at.wait_until_inside();
  std::thread second([&] {
    wait_until([&] { return map_.caught(); });
    just_read(map_);
  });
  just_read(map_);
  second.join();
  at.open();
  silent.join();
  const auto found = findings_.all();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].other, other_thread::silent);
  ASSERT_EQ(found[0].threads.size(), 2U);
  EXPECT_TRUE(names(found[0].threads[1], "begin_write"));
}

TEST_F(policy_on, shows_where_a_thread_entered_that_has_left) {
  stop at;
  stop stay;
  std::thread first([&] { write_and_stop(map_, at); });
  at.wait_until_inside();
  std::thread second([&] {
    just_write(map_);
    stay.pass();
  });
  stay.wait_until_inside();
  const std::size_t before = findings_.all().size();
  at.open();
  first.join();
  stay.open();
  second.join();
  const auto found = findings_.all();
  ASSERT_EQ(found.size(), before + 1);
  EXPECT_EQ(found.back().other, other_thread::left);
  ASSERT_EQ(found.back().threads.size(), 3U);
  EXPECT_TRUE(names(found.back().threads[0], "write_and_stop"));
  EXPECT_TRUE(names(found.back().threads[1], "begin_write"));
  EXPECT_TRUE(names(found.back().threads[2], "stop::pass"));
}

TEST_F(policy_on, shows_where_a_thread_entered_that_has_ended) {
  stop at;
  std::thread first([&] { write_and_stop(map_, at); });
  at.wait_until_inside();
  std::thread([&] { just_write(map_); }).join();
  at.open();
  first.join();
  const auto found = findings_.all();
  ASSERT_GE(found.size(), 2U);
  EXPECT_EQ(found.back().other, other_thread::ended);
  ASSERT_EQ(found.back().threads.size(), 2U);
  EXPECT_TRUE(names(found.back().threads[1], "begin_write"));
}

TEST_F(policy_on, says_so_if_it_can_not_tell_who_it_was) {
  std::atomic<std::uint8_t> flags{0};
  on::found(misuse::writes, &flags, flags);
  const auto found = findings_.all();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].other, other_thread::unknown);
  ASSERT_EQ(found[0].threads.size(), 1U);
  EXPECT_NE(found[0].threads[0].note, nullptr);
}

TEST(policy_report, counts_all_and_prints_one_in_an_interval) {
  std::atomic<std::uint8_t> flags{0};
  racelab::write_flag::set_policy(racelab::write_flag::policy::report);
  racelab::write_flag::set_report_interval(std::chrono::hours(1));
  const auto found = times_found(misuse::clone_and_write);
  const auto reported = times_reported();
  testing::internal::CaptureStderr();
  for (int i = 0; i < 1000; ++i) on::found(misuse::clone_and_write, &flags, flags);
  EXPECT_EQ(times_found(misuse::clone_and_write) - found, 1000U);
  EXPECT_EQ(times_reported() - reported, 1U);
  racelab::write_flag::set_report_interval(std::chrono::nanoseconds(0));
  for (int i = 0; i < 3; ++i) on::found(misuse::clone_and_write, &flags, flags);
  EXPECT_EQ(times_reported() - reported, 4U);
  racelab::write_flag::set_policy(racelab::write_flag::policy::abort);
  const std::string printed = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(printed.starts_with("racelab: concurrent map clone and map write\n\nthread ")) << printed;
}

TEST(messages, are_gos_where_go_has_one) {
  using racelab::write_flag::message;
  EXPECT_STREQ(message(misuse::writes), "concurrent map writes");
  EXPECT_STREQ(message(misuse::read_and_write), "concurrent map read and map write");
  EXPECT_STREQ(message(misuse::iteration_and_write), "concurrent map iteration and map write");
  EXPECT_STREQ(message(misuse::clone_and_write), "concurrent map clone and map write");
}

}  // namespace
