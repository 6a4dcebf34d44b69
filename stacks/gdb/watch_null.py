"""Batch script: runs a program until it dies by SIGSEGV, and tells who was given null by a function.

  RACELAB_FUNCTION=get_full RACELAB_RESULT=FILE gdb -nx -batch -x stacks/gdb/watch_null.py PROGRAM

`racelab explain --again` carries it in itself. FILE is JSON: died, nulls (how many were returned), and of the thread that died
the last result: given_to (FUNCTION at FILE:LINE, null if the function has not returned there), null (whether it was one).
"""
import json
import os
import pathlib

import gdb

results = []  # thread, who was given it, whether it was null


def where(frame):
    line = frame.find_sal()
    return f"{frame.name()} at {line.symtab.filename if line.symtab else '?'}:{line.line}"


class Result(gdb.FinishBreakpoint):
    def stop(self):
        if self.return_value is not None:
            results.append((gdb.selected_thread().num, where(gdb.newest_frame()), int(self.return_value) == 0))
        return False


class Call(gdb.Breakpoint):
    def stop(self):
        Result(gdb.newest_frame(), internal=True)
        return False


def main():
    for command in ("set pagination off", "set print thread-events off", "set startup-with-shell off",
                    "handle all nostop noprint pass", "handle SIGSEGV stop nopass"):
        gdb.execute(command, to_string=True)
    Call(os.environ["RACELAB_FUNCTION"], internal=True)
    gdb.execute("run", to_string=True)
    thread = gdb.selected_thread()
    died = thread is not None and thread.is_valid()
    last = next((each for each in reversed(results) if died and each[0] == thread.num), None)
    pathlib.Path(os.environ["RACELAB_RESULT"]).write_text(json.dumps({
        "died": died, "nulls": sum(null for _, _, null in results),
        "given_to": last[1] if last else None, "null": bool(last and last[2])}), encoding="utf-8")


main()
