#include "lab/classroom_lessons.hpp"

#include <utility>

namespace racelab::lab {
namespace {

lesson_step said(lesson_step_kind kind, std::string text) { return {kind, std::move(text), {}, {}}; }

lesson_step shown(lesson_step_kind kind, std::string program, std::string text) {
  return {kind, std::move(text), std::move(program), {}};
}

lesson_step story(std::string text) { return said(lesson_step_kind::story, std::move(text)); }

lesson_step source(std::string program, std::string text = {}) {
  return shown(lesson_step_kind::source, std::move(program), std::move(text));
}

lesson_step run(std::string program, std::string text) {
  return shown(lesson_step_kind::run, std::move(program), std::move(text));
}

lesson_step crash(std::string program, std::string text) {
  return shown(lesson_step_kind::crash, std::move(program), std::move(text));
}

lesson_step report(std::string program, std::string text = {}) {
  return shown(lesson_step_kind::report, std::move(program), std::move(text));
}

lesson_step silence(std::string program, std::string text) {
  return shown(lesson_step_kind::silence, std::move(program), std::move(text));
}

lesson_step question(std::string text) { return said(lesson_step_kind::question, std::move(text)); }

lesson_step judge(std::string program, std::string verdict, std::string text) {
  return {lesson_step_kind::judge, std::move(text), std::move(program), std::move(verdict)};
}

lesson_step answer(std::string text) { return said(lesson_step_kind::answer, std::move(text)); }

lesson_step remedy(std::string program, std::string text) {
  return shown(lesson_step_kind::remedy, std::move(program), std::move(text));
}

}  // namespace

// lab/CMakeLists.txt reads the programs' names here, to build them.
const std::vector<lesson>& lessons() {
  static const std::vector<lesson> all = {
      {.name = "concurrent_delete",
       .title = "Ten threads delete the same keys",
       .minutes = 5,
       .needs = "",
       .steps = {story("A server keeps its sessions in a map; ten threads log users out, and each deletes "
                       "the same fifty keys. To delete a key that is gone is harmless: erase() finds "
                       "nothing. So nobody took a lock. lab_map is std::unordered_map here."),
                 source("crash_concurrent_delete.unordered_map"),
                 run("crash_concurrent_delete.unordered_map",
                     "As a user would start it: built with -O2, nobody disturbs it."),
                 crash("crash_concurrent_delete.unordered_map",
                       "The same objects, but threads are now and then stopped for some microseconds, just "
                       "before an access to memory. A correct program can't tell."),
                 report("crash_concurrent_delete.unordered_map"),
                 question("The report is real: true or false? Why? A colleague says: \"The threads delete "
                          "the same keys, so after the first one there is nothing left to be deleted.\""),
                 judge("crash_concurrent_delete.unordered_map", "confirmed",
                       "The judge stops one of the two threads just before its access and looks who comes."),
                 answer("TRUE. Both threads stood at the same bytes at the same time, so nothing can order "
                        "them. What counts is not the key but the memory: erase() reads the entries that it "
                        "walks past, and another thread frees them."),
                 remedy("crash_concurrent_delete.mutex_map",
                        "The very same source over mutex_map, a map with one lock around each operation.")}},

      {.name = "iterate_delete",
       .title = "A walk meets deletions",
       .minutes = 4,
       .needs = "",
       .steps = {story("One thread walks a map of users and looks at each name, while another one deletes "
                       "half of the users. The walker only reads."),
                 source("race_iterate_delete"), run("race_iterate_delete", "As a user would start it."),
                 report("race_iterate_delete"),
                 question(
                     "The report is real: true or false? Why? A colleague says: \"One of the two only reads. "
                     "And we have run it for years: what can't be reproduced is a false positive.\""),
                 judge("race_iterate_delete", "confirmed",
                       "The judge stops the walker just before a read and looks who comes."),
                 answer("TRUE. A read and a write at the same bytes race as two writes do. How often harm is "
                        "seen says how the two happen to meet on this machine, not whether they may: the "
                        "walker follows pointers that the other thread frees."),
                 remedy("norace_iterate_delete_sync_map",
                        "The same experiment on sync_map, whose walk may or may not meet a key that is being "
                        "deleted, and races with nobody.")}},

      {.name = "iterate_delete_again",
       .title = "The same walk, the same deletions, the same report",
       .minutes = 4,
       .needs = "",
       .steps =
           {story("The same experiment in another project: a walk, and fifty deletions. Here there is a "
                  "lock; somebody wrote it by hand, years ago."),
            source("norace_iterate_delete_asm_lock"),
            report("norace_iterate_delete_asm_lock", "Compare with the report of the lesson before."),
            question("The report is real: true or false? Why? It names the same two functions, on the same "
                     "map, as the one that was true. What would you measure to find out?"),
            judge("norace_iterate_delete_asm_lock", "likely-false",
                  "The judge can't catch both at one place, so it asks another question: if one thread is "
                  "stopped for x milliseconds, does the other one come x milliseconds later?"),
            answer(
                "FALSE. The points lie on a line of slope 1: who is stopped holds something that the other "
                "one waits for. That is an order, and ThreadSanitizer can't see who makes it. Two reports "
                "can read the same, and one is true and one is false: the text of a report decides nothing."),
            remedy("crash_iterate_delete.mutex_map",
                   "A walk and deletions over mutex_map, whose lock ThreadSanitizer knows.")}},

      {.name = "atomic_shared_ptr",
       .title = "A pointer that is atomic, and reported",
       .minutes = 4,
       .needs = "",
       .steps = {story("Readers load the latest settings from a std::atomic<std::shared_ptr>, a writer "
                       "stores new ones. There is no other shared variable, and this one is atomic."),
                 source("race_atomic_shared_ptr"), report("race_atomic_shared_ptr", "Until it reports."),
                 question("The report is real: true or false? Why? \"An atomic can't race, that is what "
                          "atomic means. It is a false positive in the library.\" Both lines call the "
                          "library: what does it touch in there?"),
                 judge("race_atomic_shared_ptr", "ordering-only",
                       "The judge tries to catch it, and then runs ThreadSanitizer once more with every "
                       "atomic made sequentially consistent."),
                 answer("BOTH, and that is why the judge has a verdict of its own for it. By C++'s model it "
                        "is a race: libstdc++'s load() unlocks its internal lock with memory_order_relaxed, "
                        "which does not order its read of the pointer before the next store. On x86-64 it is "
                        "harmless: the processor keeps a read before a later write of the same thread. A "
                        "weaker machine, or a compiler that knows the model, need not."),
                 remedy("crash_iterate_delete.copy_on_write_map",
                        "A snapshot map of the lab that publishes with hazard pointers in place of "
                        "atomic<shared_ptr>.")}},

      {.name = "asm_lock",
       .title = "A lock that was written by hand",
       .minutes = 3,
       .needs = "",
       .steps = {story("Two threads count under a spin lock. It is in inline assembly because it is older "
                       "than std::atomic."),
                 source("norace_asm_lock"), source("repro/support/asm_lock.hpp", "And the lock."),
                 report("norace_asm_lock"),
                 question("The report is real: true or false? Why? What does ThreadSanitizer look at, and "
                          "what can it not look at?"),
                 judge("norace_asm_lock", "likely-false",
                       "The judge stops a thread inside of the lock and measures the other one."),
                 answer("FALSE. xchg is a full barrier and lets one thread in. ThreadSanitizer sees calls of "
                        "functions that it intercepts and code that its compiler instrumented; assembly is "
                        "neither. Don't suppress the report: a suppression hides true ones in the same "
                        "functions, too. Make the lock visible."),
                 remedy("norace_spin_lock", "The same lock of a std::atomic_flag.")}},

      {.name = "openmp",
       .title = "Two parallel regions",
       .minutes = 4,
       .needs = "OpenMP library",
       .steps = {story("Two functions of one program count in an OpenMP region. ThreadSanitizer reports "
                       "both, and somebody proposes a suppression for all that comes from OpenMP."),
                 source("norace_openmp_critical", "The first one."), report("norace_openmp_critical"),
                 source("race_openmp_sum", "The second one."), report("race_openmp_sum"),
                 question("Each of the two: true or false? Why? Would you take the suppression?"),
                 judge("norace_openmp_critical", "likely-false", "The first one before the judge."),
                 judge("race_openmp_sum", "confirmed", "The second one before the judge."),
                 answer("The first is FALSE: a critical section is a lock inside of the OpenMP library, "
                        "which nobody compiled for ThreadSanitizer. The second is TRUE: reduction(+:sum) was "
                        "forgotten, and additions are lost. The suppression would have hidden it."),
                 remedy(
                     "norace_mutex",
                     "The same count by two std::threads under a std::mutex, which ThreadSanitizer knows.")}},

      {.name = "missed",
       .title = "No report",
       .minutes = 3,
       .needs = "",
       .steps = {story("Two threads add to a total and write a line to a journal, which has a mutex. The "
                       "nightly run under ThreadSanitizer is clean."),
                 source("race_masked_by_mutex"), silence("race_masked_by_mutex", "Five times."),
                 question("\"No report, so there is no race\": true or false? Why? What does the journal's "
                          "mutex order, and in which runs?"),
                 judge("race_masked_by_mutex", "confirmed",
                       "The judge needs no report: it stops threads here and there and looks who comes."),
                 answer("FALSE. The total is changed outside of the lock. Whoever unlocks the journal first "
                        "is ordered before the other one by chance, and ThreadSanitizer believes it: it "
                        "judges the run that it sees. A clean run speaks for this run alone."),
                 remedy("norace_mutex", "Counting inside of the lock.")}},

      {.name = "lock_order",
       .title = "Two locks in two orders",
       .minutes = 3,
       .needs = "",
       .steps = {story("Two programs take two locks, one thread in one order and one in the other. For both "
                       "ThreadSanitizer reports a potential deadlock; both ran for years."),
                 source("norace_lock_order_gate", "The first one."), report("norace_lock_order_gate"),
                 source("hang_lock_order", "The second one."), report("hang_lock_order"),
                 question("Each of the two can hang: true or false? Why?"),
                 judge("norace_lock_order_gate", "likely-false",
                       "The first one before the judge: threads are stopped between their two locks."),
                 judge("hang_lock_order", "confirmed", "The second one before the judge."),
                 answer("The first is FALSE: whoever takes the two locks holds the gate, so nobody is ever "
                        "between them while another one is. The second is TRUE, and it just hung. "
                        "ThreadSanitizer draws an arrow from lock to lock and reports a cycle of arrows; "
                        "which other locks were held it does not ask."),
                 remedy("norace_both_locks",
                        "Both locks at once by std::scoped_lock, in whatever order they are named.")}}};
  return all;
}

}  // namespace racelab::lab
