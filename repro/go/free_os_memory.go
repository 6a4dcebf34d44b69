// What the post says of debug.FreeOSMemory: that it returns memory, and does not collect.
package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

var garbage []byte

func main() {
	var before, after runtime.MemStats
	garbage = make([]byte, 64<<20)
	for i := range garbage {
		garbage[i] = 1
	}
	garbage = nil
	runtime.ReadMemStats(&before)
	debug.FreeOSMemory()
	runtime.ReadMemStats(&after)
	fmt.Printf("%d collections forced, %d MiB returned\n", after.NumForcedGC-before.NumForcedGC,
		(after.HeapReleased-before.HeapReleased)>>20)
	if after.NumForcedGC == before.NumForcedGC {
		panic("it did not collect")
	}
}
