// A source with every kind of access that a compiler instruments. That it links says that no entry point is missing.
#pragma once

namespace instrumented {

/// The number of different things that it did; the same every time.
int do_everything();

}  // namespace instrumented
