// Operations for histories that are written by hand: when they began and ended, and what came back.
#pragma once

#include "tests/linear/history.hpp"

namespace racelab::linear {

struct during {
  time_point invoked = 0;
  time_point returned = pending;
};

inline operation made(kind what, during when, value argument, std::optional<value> found, bool done) {
  operation all;
  all.what = what;
  all.argument = argument;
  all.found = found;
  all.done = done;
  all.invoked = when.invoked;
  all.returned = when.returned;
  return all;
}

inline operation find(during when, std::optional<value> found) {
  return made(kind::find, when, 0, found, false);
}
inline operation insert(during when, value argument, bool done) {
  return made(kind::insert, when, argument, std::nullopt, done);
}
inline operation assign(during when, value argument) {
  return made(kind::insert_or_assign, when, argument, std::nullopt, false);
}
inline operation erase(during when, std::optional<value> found) {
  return made(kind::erase, when, 0, found, false);
}
inline operation erase_if_equal(during when, value argument, bool done) {
  return made(kind::erase_if_equal, when, argument, std::nullopt, done);
}
inline operation clear(during when) { return made(kind::clear, when, 0, std::nullopt, false); }

inline operation on_key(int key, operation of) {
  of.key = key;
  return of;
}

inline operation by_thread(int thread, operation of) {
  of.thread = thread;
  return of;
}

}  // namespace racelab::linear
