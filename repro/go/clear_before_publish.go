// The post's hybrid cache: it clears the old map, and then stores the new one. Readers walk the old map meanwhile.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

type cache struct {
	read  atomic.Value // of map[string]int
	mutex sync.Mutex
}

func (c *cache) delete(key string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	old := c.read.Load().(map[string]int)
	fresh := make(map[string]int, len(old))
	for k, v := range old {
		if k != key {
			fresh[k] = v
		}
	}
	for k := range old {
		delete(old, k)
	}
	c.read.Store(fresh)
}

func main() {
	c := &cache{}
	m := make(map[string]int)
	for i := 0; i < 1000; i++ {
		m[fmt.Sprintf("key-%d", i)] = i
	}
	c.read.Store(m)
	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := 0; j < 20000; j++ {
				_ = c.read.Load().(map[string]int)[fmt.Sprintf("key-%d", j%1000)]
			}
		}()
	}
	for j := 0; j < 500; j++ {
		c.delete(fmt.Sprintf("key-%d", j))
	}
	wg.Wait()
}
