// A library tells ThreadSanitizer of accesses to its own objects; two threads append to one.
#include <sanitizer/tsan_interface.h>

#include <cstdlib>
#include <thread>

#include "tests/thread/programs/baton.hpp"

baton appended;
void* document_tag;

void append(void* document) { __tsan_external_write(document, __builtin_return_address(0), document_tag); }

int main() {
  document_tag = __tsan_external_register_tag("document");
  __tsan_external_register_header(document_tag, "race on a document");
  void* const document = std::malloc(64);
  __tsan_external_assign_tag(document, document_tag);
  std::thread editor([document] {
    append(document);
    appended.pass();
  });
  appended.wait();
  append(document);
  editor.join();
  std::free(document);
}
