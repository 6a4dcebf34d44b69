// Two goroutines write one map, one after the other, and nothing that the detector sees orders them.
package main

import "syscall"

// A baton through a pipe, by raw system calls: the detector takes those of package os for synchronisation.
var baton [2]int

func pass() {
	one := []byte{1}
	syscall.RawSyscall(syscall.SYS_WRITE, uintptr(baton[1]), addressOf(one), 1)
}

func wait() {
	one := []byte{0}
	syscall.RawSyscall(syscall.SYS_READ, uintptr(baton[0]), addressOf(one), 1)
}

type session struct{ visits int }

func store(sessions map[string]*session, key string) {
	sessions[key] = &session{}
}

func visit(of *session) {
	of.visits++
}

func main() {
	if syscall.Pipe(baton[:]) != nil {
		return
	}
	sessions := make(map[string]*session)
	mine := &session{}
	go func() {
		store(sessions, "a")
		visit(mine)
		pass()
	}()
	wait()
	store(sessions, "b")
	visit(mine)
}
