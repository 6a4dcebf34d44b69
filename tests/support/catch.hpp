// Catch2, version 2 or 3: Debian 12 has the one, Debian 13 and Ubuntu 24.04 the other.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

// Catch2's macros use __COUNTER__, which newer clangs call an extension.
#if defined(__clang__) && defined(__has_warning)
#if __has_warning("-Wc2y-extensions")
#pragma clang diagnostic ignored "-Wc2y-extensions"
#endif
#endif
