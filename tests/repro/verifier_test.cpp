#include "repro/support/verifier.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace {

// A map that tells whatever a test wants it to tell.
struct lying_map {
  using key_type = int;
  std::vector<std::pair<int, int>> walk;
  std::map<int, int> found;
  std::size_t claimed = 0;

  std::optional<int> find(int key) const {
    const auto at = found.find(key);
    return at == found.end() ? std::nullopt : std::optional<int>(at->second);
  }
  std::size_t size() const { return claimed; }
  template <class Visit> void for_each(Visit visit) const {
    for (const auto& [key, value] : walk) visit(key, value);
  }
};

struct verdict {
  int code;
  std::string text;
};

verdict verify(const std::function<void(racelab::verifier&)>& checks) {
  testing::internal::CaptureStdout();
  racelab::verifier check;
  checks(check);
  const int code = check.exit_code();
  std::fflush(stdout);
  return {code, testing::internal::GetCapturedStdout()};
}

const lying_map honest{.walk = {{1, 10}, {2, 20}}, .found = {{1, 10}, {2, 20}}, .claimed = 2};

TEST(Verifier, AnIntactMapIsIntactAndSilent) {
  const auto result = verify([](auto& check) {
    check.consistent(honest);
    check.holds(honest, 1, 10);
    check.lacks(honest, 3);
  });
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.text, "");
}

TEST(Verifier, ACountThatDiffersFromTheWalk) {
  lying_map map = honest;
  map.claimed = 3;
  const auto result = verify([&](auto& check) { check.consistent(map); });
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.text, "corrupt: size() says 3, a walk finds 2\n");
}

TEST(Verifier, AKeyThatComesTwice) {
  lying_map map = honest;
  map.walk.emplace_back(1, 10);
  map.claimed = 3;
  EXPECT_EQ(verify([&](auto& check) { check.consistent(map); }).text, "corrupt: 1 comes twice in a walk\n");
}

TEST(Verifier, AKeyThatAWalkMeetsAndASearchDoesNot) {
  lying_map map = honest;
  map.found.erase(2);
  EXPECT_EQ(verify([&](auto& check) { check.consistent(map); }).text,
            "corrupt: 2 comes in a walk but is not found\n");
}

TEST(Verifier, AWalkThatDoesNotEnd) {
  lying_map map = honest;
  map.walk.assign(100'000, {1, 10});
  const auto result = verify([&](auto& check) { check.consistent(map); });
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.text.find("corrupt: 1 comes twice in a walk\n"), std::string::npos);
  EXPECT_NE(result.text.find("more\n"), std::string::npos);
}

TEST(Verifier, AKeyThatIsGoneStayedOrHasAnotherValue) {
  EXPECT_EQ(verify([](auto& check) { check.holds(honest, 3, 30); }).text, "corrupt: 3 is gone\n");
  EXPECT_EQ(verify([](auto& check) { check.lacks(honest, 1); }).text,
            "corrupt: 1 is there although it was deleted\n");
  EXPECT_EQ(verify([](auto& check) { check.holds(honest, 1, 11); }).text,
            "corrupt: 1 has another value than it was given\n");
}

}  // namespace
