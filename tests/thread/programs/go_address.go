package main

import "unsafe"

func addressOf(bytes []byte) uintptr {
	return uintptr(unsafe.Pointer(&bytes[0]))
}
