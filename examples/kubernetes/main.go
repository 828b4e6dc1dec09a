// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Kubernetes serves what scanner prints: GET /containers looks into every container of the node, or those of ?name=…, and answers
// with a line of JSON for each. A DaemonSet, daemonset.yaml, runs it on every node.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/airlock-ns/airlock/examples/internal/scan"
	"github.com/airlock-ns/airlock/reexec"
)

func main() {
	reexec.Init()
	listen := flag.String("listen", ":8080", "serve HTTP on this `address`")
	timeout := flag.Duration("timeout", 5*time.Second, "give up a container after that")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // which the kubelet sends
	defer stop()
	if err := serve(ctx, *listen, *timeout); err != nil {
		fmt.Fprintln(os.Stderr, "kubernetes:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, address string, timeout time.Duration) error {
	scanner := &scan.Scanner{Parallel: 2 * runtime.NumCPU(), Timeout: timeout}
	scanner.Pool.MaxIdle = 1000 // so many containers may have a worker that waits for the next request
	defer scanner.Pool.Close()
	server := &http.Server{Addr: address, Handler: handler(scanner), ReadHeaderTimeout: timeout}
	defer context.AfterFunc(ctx, func() { server.Close() })() // the context of each request ends, and so do the calls
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func handler(scanner *scan.Scanner) http.Handler {
	turn := make(chan struct{}, 1) // one scan at a time, however many ask
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /containers", func(w http.ResponseWriter, r *http.Request) {
		select {
		case turn <- struct{}{}:
		case <-r.Context().Done():
			return
		}
		var answer bytes.Buffer
		out := json.NewEncoder(&answer)
		places, err := scan.Containers(r.Context(), r.URL.Query()["name"]...)
		scanner.Scan(r.Context(), places, func(row scan.Row) { out.Encode(row) })
		<-turn // now: who reads the answer slowly holds up nobody
		if err != nil && len(places) == 0 {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		if err != nil { // of one engine, while another has answered
			out.Encode(scan.Row{Error: err.Error()})
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Write(answer.Bytes())
	})
	return mux
}
