package walk

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is a demo server of our own: a free port, temporary folders, stopped by its pid.
type server struct {
	base   string
	banner *lines
}

// lines collects what the server prints.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func startServer(t *testing.T) *server {
	t.Helper()
	binary := os.Getenv("WENZHEN_BIN")
	if binary == "" {
		binary = filepath.Join("..", "..", "target", "debug", "wenzhen")
	}
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("no server to walk through: build it (cargo build) or name it in WENZHEN_BIN: %v", err)
	}
	address := freeAddress(t)
	var banner, log lines
	command := exec.Command(binary, "serve", "--demo", "--addr", address, "--data", t.TempDir(), "--keys", t.TempDir())
	command.Env = withoutOurs(os.Environ())
	command.Stdout, command.Stderr = &banner, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- command.Wait() }()
	t.Cleanup(func() {
		stop(t, command, exited)
		if t.Failed() {
			t.Logf("the server's log:\n%s", log.String())
		}
	})
	s := &server{base: "http://" + address, banner: &banner}
	s.awaitReady(t, exited, &log)
	return s
}

// withoutOurs drops every WENZHEN_… variable: the server takes them for configuration and refuses those it does not know.
func withoutOurs(environment []string) []string {
	return slices.DeleteFunc(environment, func(line string) bool { return strings.HasPrefix(line, "WENZHEN_") })
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func stop(t *testing.T, command *exec.Cmd, exited chan error) {
	_ = command.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-exited:
		if err != nil {
			t.Errorf("the server stopped with %v", err)
		}
	case <-time.After(Patience):
		_ = command.Process.Kill()
		t.Error("the server did not stop on SIGTERM")
	}
}

func (s *server) awaitReady(t *testing.T, exited chan error, log *lines) {
	t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(2 * Patience)
	for {
		if response, err := http.Get(s.base + "/readyz"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("the server ended: %v\n%s", err, log.String())
		case <-deadline:
			t.Fatalf("not ready within %v\n%s", 2*Patience, log.String())
		case <-look.C:
		}
	}
}

// account is the nth demo account of a role, as the banner prints it.
func (s *server) account(t *testing.T, role string, nth int) (login, name string) {
	t.Helper()
	_, accounts, _ := strings.Cut(s.banner.String(), "demo accounts")
	found := regexp.MustCompile(`(?m)^\s*`+role+`\s+(\S+)\s+(\S+)`).FindAllStringSubmatch(accounts, -1)
	if nth >= len(found) {
		t.Fatalf("the banner names no %s %d:\n%s", role, nth, s.banner)
	}
	return found[nth][1], found[nth][2]
}

func (s *server) password(t *testing.T) string {
	t.Helper()
	found := regexp.MustCompile(`password (\S+)`).FindStringSubmatch(s.banner.String())
	if found == nil {
		t.Fatalf("the banner names no password:\n%s", s.banner)
	}
	return found[1]
}
