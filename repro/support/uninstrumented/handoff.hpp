// Handoff: a box for one pointer, in a shared library that is built without -fsanitize=thread, as a distribution's are.
// Correct: put() publishes, take() waits and acquires. ThreadSanitizer sees neither.
#pragma once

namespace racelab {

/// Leaves `value` for one take(). Waits while another value lies there.
void handoff_put(void* value);

/// The value that was put; waits for it.
void* handoff_take();

}  // namespace racelab
