// A pool that has nothing left, and a caller two frames up that does not ask.
package main

type buffer struct{ items int }

type pool struct{ full []*buffer }

//go:noinline
func (p *pool) getFull() *buffer {
	if len(p.full) == 0 {
		return nil
	}
	return p.full[0]
}

//go:noinline
func scan(work *buffer) int {
	return work.items
}

//go:noinline
func drain(from *pool) int {
	work := from.getFull()
	items := scan(work)
	return items
}

func main() {
	done := make(chan int)
	go func() { done <- drain(&pool{}) }()
	<-done
}
