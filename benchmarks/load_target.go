// The target of benchmarks/load_generator.py: each answer takes 15 ms plus an exponential tail of mean 5 ms (median
// 18.5 ms, 99th percentile 38 ms). It says its port, and ends when its standard input does.
package main

import (
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
		time.Sleep(15*time.Millisecond + time.Duration(rand.ExpFloat64()*5e6))
		fmt.Fprintln(answer, "ok")
	})
	panic(http.Serve(listener, nil))
}
