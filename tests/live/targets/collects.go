// Garbage between two quiet times, then what the runtime says of every pause, unix ns and ns:
// collects QUIET_S BUSY_S LOG
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
)

var kept [][]byte

func seconds(arg string) time.Duration {
	s, _ := strconv.ParseFloat(arg, 64)
	return time.Duration(s * 1e9)
}

func main() {
	var m runtime.MemStats
	fmt.Println("ready")
	time.Sleep(seconds(os.Args[1]))
	for end := time.Now().Add(seconds(os.Args[2])); time.Now().Before(end); {
		for i := 0; i < 4; i++ {
			kept = append(kept, make([]byte, 20000))
		}
		if len(kept) > 500 {
			kept = kept[250:]
		}
		time.Sleep(time.Millisecond)
	}
	runtime.ReadMemStats(&m)
	log, _ := os.Create(os.Args[3])
	first := uint32(0)
	if m.NumGC > 256 {
		first = m.NumGC - 256
	}
	for i := first; i < m.NumGC; i++ {
		fmt.Fprintln(log, m.PauseEnd[i%256], m.PauseNs[i%256])
	}
	log.Close()
	fmt.Println("done")
	time.Sleep(20 * time.Second)
}
