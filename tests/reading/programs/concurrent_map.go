// Two goroutines delete and store keys of one map.
package main

import "strconv"

func main() {
	m := map[string]int{}
	change := func() {
		for i := 0; ; i++ {
			m["key-"+strconv.Itoa(i%100)] = i
			delete(m, "key-"+strconv.Itoa(i%100))
		}
	}
	go change()
	change()
}
