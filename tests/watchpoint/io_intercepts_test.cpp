// libc's input and output: which bytes a call touches where nobody has to be waited for, what it returns, and what goes unwatched.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/watchpoint/accesses_of.hpp"
#include "tests/watchpoint/libc_calls.hpp"
#include "tests/watchpoint/staging.hpp"

namespace {

using namespace staging;
using namespace instrumented;

// A descriptor that is closed at the end.
class descriptor {
 public:
  explicit descriptor(int number) : number_(number) { EXPECT_GE(number, 0); }
  ~descriptor() { close(number_); }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  operator int() const { return number_; }  // NOLINT(google-explicit-constructor): it stands for one

 private:
  int number_;
};

// A file in memory that has this in it, and stands at its start.
int file_with(std::string_view content) {
  const int file = memfd_create("file", MFD_CLOEXEC);
  EXPECT_EQ(pwrite(file, content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
  return file;
}

std::string content_of(int file) {
  std::array<char, 64> bytes{};
  const ssize_t size = pread(file, bytes.data(), bytes.size(), 0);
  return {bytes.data(), static_cast<std::size_t>(size)};
}

using stream = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
stream stream_of(int file, const char* mode) { return {fdopen(dup(file), mode), std::fclose}; }

class InputOutput : public Staged {
 protected:
  void SetUp() override {
    Staged::SetUp();
    watch::set_decide(nullptr);
  }
};

TEST_F(InputOutput, ReadTouchesWhatHasCome) {
  const descriptor file(file_with("abc"));
  buffers in("", "");
  ssize_t got = 0;
  EXPECT_EQ(accesses_of(in, [&] { got = call_read(file, in.a.data(), 64); }),
            (std::vector<touched>{{'a', 0, 3, true}}));
  EXPECT_EQ(got, 3);
  EXPECT_EQ(std::string_view(in.a.data(), 4), "abc~");
  EXPECT_EQ(accesses_of(in, [&] { got = call_read(file, in.a.data(), 64); }), std::vector<touched>{});
  EXPECT_EQ(got, 0) << "the end of the file";
}

TEST_F(InputOutput, PreadTouchesWhatHasCome) {
  const descriptor file(file_with("abcdef"));
  buffers in("", "");
  ssize_t got = 0;
  EXPECT_EQ(accesses_of(in, [&] { got = call_pread(file, in.b.data(), 3, 2); }),
            (std::vector<touched>{{'b', 0, 3, true}}));
  EXPECT_EQ(got, 3);
  EXPECT_EQ(std::string_view(in.b.data(), 4), "cde~");
}

TEST_F(InputOutput, FreadTouchesAlsoTheBytesOfAnElementThatIsNotWhole) {
  const descriptor file(file_with("abcde"));
  const stream from = stream_of(file, "r");
  buffers in("", "");
  std::size_t got = 0;
  EXPECT_EQ(accesses_of(in, [&] { got = call_fread(in.a.data(), 2, 10, from.get()); }),
            (std::vector<touched>{{'a', 0, 5, true}}));
  EXPECT_EQ(got, 2U);
  EXPECT_EQ(std::string_view(in.a.data(), 6), "abcde~");
}

TEST_F(InputOutput, WriteReadsAllThatGoes) {
  const descriptor file(file_with(""));
  const descriptor null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  buffers in("abc", "");
  for (const int to : {static_cast<int>(file), static_cast<int>(null)}) {
    ssize_t sent = 0;
    EXPECT_EQ(accesses_of(in, [&] { sent = call_write(to, in.a.data() + 1, 2); }),
              (std::vector<touched>{{'a', 1, 2, false}}));
    EXPECT_EQ(sent, 2);
  }
  EXPECT_EQ(accesses_of(in, [&] { EXPECT_EQ(call_pwrite(file, in.a.data(), 1, 1), 1); }),
            (std::vector<touched>{{'a', 0, 1, false}}));
  EXPECT_EQ(content_of(file), "ba");
}

TEST_F(InputOutput, StreamsReadWhatIsPutIntoThem) {
  const descriptor file(file_with(""));
  stream to = stream_of(file, "w");
  buffers in("abc", "xyz");
  EXPECT_EQ(accesses_of(in, [&] { EXPECT_EQ(call_fwrite(in.a.data(), 1, 2, to.get()), 2U); }),
            (std::vector<touched>{{'a', 0, 2, false}}));
  EXPECT_EQ(accesses_of(in, [&] { EXPECT_GE(call_fputs(in.b.data(), to.get()), 0); }),
            (std::vector<touched>{{'b', 0, 4, false}}));
  to.reset();
  EXPECT_EQ(content_of(file), "abxyz");
}

TEST_F(InputOutput, PutsReadsItsText) {
  buffers in("", "a line of a test");
  testing::internal::CaptureStdout();
  EXPECT_EQ(accesses_of(in, [&] { EXPECT_GE(call_puts(in.b.data()), 0); }),
            (std::vector<touched>{{'b', 0, 17, false}}));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "a line of a test\n");
}

TEST_F(InputOutput, APipeIsWatchedOnlyWhereThereIsRoom) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
  const descriptor from(ends[0]);
  const descriptor to(ends[1]);
  buffers in("abc", "");
  EXPECT_EQ(accesses_of(in, [&] { EXPECT_EQ(call_write(to, in.a.data(), 3), 3); }),
            (std::vector<touched>{{'a', 0, 3, false}}));
  EXPECT_EQ(accesses_of(in, [&] { EXPECT_EQ(call_read(from, in.b.data(), 3), 3); }), std::vector<touched>{})
      << "a reader waits for a writer, which may have used the buffer until then";
  EXPECT_EQ(std::string_view(in.b.data(), 3), "abc");
  const std::array<char, 4096> page{};
  while (write(to, page.data(), page.size()) > 0) {
  }
  EXPECT_EQ(accesses_of(in,
                        [&] {
                          EXPECT_EQ(call_write(to, in.a.data(), 3), -1);
                          EXPECT_EQ(errno, EAGAIN);
                        }),
            std::vector<touched>{});
}

TEST_F(InputOutput, SocketsAndWhatIsNoDescriptorGoUnwatched) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const descriptor from(ends[0]);
  const descriptor to(ends[1]);
  buffers in("abc", "");
  EXPECT_EQ(accesses_of(in,
                        [&] {
                          EXPECT_EQ(call_write(to, in.a.data(), 3), 3);
                          EXPECT_EQ(call_read(from, in.b.data(), 3), 3);
                          EXPECT_EQ(call_read(-1, in.b.data(), 3), -1);
                          EXPECT_EQ(errno, EBADF);
                          EXPECT_EQ(call_write(-1, in.a.data(), 3), -1);
                          EXPECT_EQ(errno, EBADF);
                        }),
            std::vector<touched>{});
}

TEST_F(InputOutput, AnInputIsCaughtBeforeItFillsTheBuffer) {
  const descriptor file(file_with("abc"));
  buffers in("xyz", "");
  watch::set_decide(until_met);
  stage(
      in.a.data(), [&] { call_read(file, in.a.data(), 3); },
      [&] {
        EXPECT_EQ(in.a[1], 'y');
        write1(in.a.data() + 1, 'Y');
      });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(function_at(records[0].stalled.what.pc), "instrumented::call_read(…)");
  EXPECT_TRUE(records[0].stalled.what.write);
}

TEST_F(InputOutput, AStreamIsLockedWhileTheBytesAreAboutToBeRead) {
  const descriptor file(file_with(""));
  const stream to = stream_of(file, "w");
  buffers in("abc", "");
  stage_without_meeting(
      in.a.data(), [&] { call_fwrite(in.a.data(), 1, 3, to.get()); },
      [&](std::thread&) { EXPECT_NE(ftrylockfile(to.get()), 0); });
  EXPECT_EQ(ftrylockfile(to.get()), 0);
  funlockfile(to.get());
}

}  // namespace
