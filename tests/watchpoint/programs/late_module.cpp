// Opened by late_library while it runs.
extern "C" int late_answer() { return 42; }
