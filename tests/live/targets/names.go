// Go: goroutines that compute, one in a method, one through a closure.
package main

import (
	"fmt"
	"os"
	"time"
)

type basket struct{ sum uint64 }

//go:noinline
func (b *basket) price(steps int) {
	x := b.sum | 1
	for i := 0; i < steps; i++ {
		x = x*69069 + 1
	}
	b.sum = x
}

//go:noinline
func goWork(b *basket) {
	b.price(300000)
}

func main() {
	var b basket
	end := time.Now().Add(100 * time.Second)
	fmt.Printf("ready %d\n", os.Getpid())
	for time.Now().Before(end) {
		goWork(&b)
	}
}
