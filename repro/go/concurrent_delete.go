// The blog post's first program, made to compile: ten goroutines delete the same fifty of a hundred keys.
package main

import (
	"fmt"
	"sync"
)

func main() {
	m := make(map[string]int)
	for i := 0; i < 100; i++ {
		m[fmt.Sprintf("key-%d", i)] = i
	}
	var wg sync.WaitGroup
	for i := 0; i < 10; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := 0; j < 50; j++ {
				delete(m, fmt.Sprintf("key-%d", j))
			}
		}()
	}
	wg.Wait()
	fmt.Println(len(m))
}
