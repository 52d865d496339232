// Pause is the first container of every pod: it holds the pod's namespaces and
// does nothing until it is told to end. Like the real one it ends with status 2.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
	os.Exit(2)
}
