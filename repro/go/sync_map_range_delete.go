// What the post calls a false positive of the race detector: Range and Delete of one sync.Map.
package main

import (
	"runtime"
	"sync"
)

func main() {
	var m sync.Map
	for i := 0; i < 1000; i++ {
		m.Store(i, i)
	}
	var wg sync.WaitGroup
	wg.Add(3)
	go func() {
		defer wg.Done()
		for i := 0; i < 20; i++ {
			m.Range(func(key, value any) bool { return key == value })
			runtime.Gosched()
		}
	}()
	for half := 0; half < 2; half++ {
		go func(half int) {
			defer wg.Done()
			for i := half; i < 1000; i += 2 {
				m.Delete(i)
				if i%100 == half {
					runtime.GC()
				}
			}
		}(half)
	}
	wg.Wait()
}
