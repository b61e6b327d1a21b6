// Package check is what every Go scenario shares: its subject, unique names, checks by value, and the answer.
package check

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

// T0 is a fixed moment, so that timestamps can be checked and compared.
const T0 = int64(1_700_000_000_000)

// Facts are what must be the same on every subject.
type Facts map[string]any

var (
	// Kafka is the address of the subject.
	Kafka = os.Getenv("KAFKA")
	run   = os.Getenv("RUN")
)

// Name is one that no other run uses.
func Name(stem string) string { return stem + "-" + run }

// Payload is a value that can be recomputed from its number.
func Payload(i int64) string { return strings.Repeat(fmt.Sprintf("record %d of this run, ", i), 4) }

// That fails the scenario where a condition does not hold.
func That(condition bool, format string, args ...any) {
	if !condition {
		panic(fmt.Sprintf(format, args...))
	}
}

// Ok fails the scenario on an error.
func Ok(err error, what string) {
	if err != nil {
		panic(fmt.Sprintf("%s: %v", what, err))
	}
}

// Equal compares by value.
func Equal(got, want any, what string) {
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	That(string(g) == string(w), "%s: got %s, want %s", what, g, w)
}

// Until waits for a condition.
func Until(condition func() bool, what string) {
	end := time.Now().Add(40 * time.Second)
	for !condition() {
		That(time.Now().Before(end), "did not happen: %s", what)
		time.Sleep(50 * time.Millisecond)
	}
}

// Main runs the scenario named on the command line and prints its facts.
func Main(scenarios map[string]func() Facts) {
	facts := scenarios[os.Args[1]]()
	out, err := json.Marshal(facts)
	Ok(err, "facts")
	fmt.Println(strings.ReplaceAll(string(out), run, "RUN"))
}
