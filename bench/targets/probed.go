// See probed.h: each call is in a goroutine of its own, and its stack grows and moves in the middle.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

var lastInside time.Duration

func spin(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

func workOf(call int) time.Duration {
	switch kind := call * 7 % 25; {
	case kind < 20:
		return 200 * time.Microsecond
	case kind < 24:
		return 2 * time.Millisecond
	}
	return 20 * time.Millisecond
}

//go:noinline
func deep(n int) int {
	var room [200]int
	if n == 0 {
		return room[0]
	}
	room[n%200] = n
	return deep(n-1) + room[n%200]
}

//go:noinline
func timedStep(call int) int {
	began := time.Now()
	spin(workOf(call) / 2)
	sum := deep(call % 100)
	spin(workOf(call) / 2)
	lastInside = time.Since(began)
	return sum
}

func main() {
	n := 0
	if len(os.Args) > 1 {
		n, _ = strconv.Atoi(os.Args[1])
	}
	input := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	if n > 0 {
		input.ReadString('\n')
	}
	var kept [][2]time.Duration
	for call := 0; n == 0 || call < n; call++ {
		done := make(chan time.Duration)
		go func() {
			began := time.Now()
			timedStep(call)
			done <- time.Since(began)
		}()
		outside := <-done
		if n > 0 {
			kept = append(kept, [2]time.Duration{lastInside, outside})
			continue
		}
		time.Sleep(time.Millisecond)
		if call%25 == 0 {
			fmt.Println("calls", call)
		}
	}
	for _, k := range kept {
		fmt.Println("took", k[0].Nanoseconds(), k[1].Nanoseconds())
	}
	fmt.Println("done")
	io.Copy(io.Discard, input)
}
