// What a watched program leaves of its visits: the files of evidence.hpp.
#pragma once

#include "sanitizers/watchpoint/evidence.hpp"
#include "sanitizers/watchpoint/watchpoint.hpp"

namespace racelab::watch {

/// Opens the file of the sites, or of the events. False, with errno, if it can't.
bool open_sites(const char* path) noexcept;
bool open_events(const char* path) noexcept;

/// Whether visits are to be noted with note_site().
[[nodiscard]] bool sites_are_noted() noexcept;

/// The calling thread is about to make this access.
void note_site(const access& what) noexcept;

/// Something has happened at an observed site. `visit` and `stalled_us` as in event_entry.
void note_event(const access& what, event_kind kind, std::uint32_t visit, std::uint32_t stalled_us) noexcept;

/// This access, wherever it is, has come to the bytes of a stalled thread.
void note_hit(const access& what) noexcept;

}  // namespace racelab::watch
