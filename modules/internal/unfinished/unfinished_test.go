package unfinished

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each module of this project changes something, or says in its rules that it only reads.
func TestEachModuleThatActsIsListed(t *testing.T) {
	files, err := filepath.Glob("../../*/main.go")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	var want []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "ReadOnly: true") {
			want = append(want, filepath.Base(filepath.Dir(file)))
		}
	}
	if !slices.Equal(acting, want) {
		t.Errorf("acting is\n%q; expected\n%q", acting, want)
	}
}

func TestAwait(t *testing.T) {
	looks := [][]string{{"etcd_member (process 7)"}, {"etcd_member (process 7)", "etcd_fence (process 8)"}, {"etcd_fence (process 8)"}, nil}
	next := func() ([]string, error) {
		now := looks[0]
		looks = looks[1:]
		return now, nil
	}
	if left, waited, err := await(t.Context(), time.Minute, next); err != nil || !waited || len(left)+len(looks) > 0 {
		t.Error(left, waited, err, looks)
	}
	none := func() ([]string, error) { return nil, nil }
	if left, waited, err := await(t.Context(), time.Minute, none); err != nil || waited || len(left) > 0 {
		t.Error("nothing is at work:", left, waited, err)
	}
}

func TestAwaitEnds(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	always := func() ([]string, error) { return []string{"etcd_backup (process 7)"}, nil }
	for name, c := range map[string]struct {
		ctx   context.Context
		limit time.Duration
	}{"the limit is over": {t.Context(), 0}, "the module's time is over": {over, time.Minute}} {
		if left, waited, err := await(c.ctx, c.limit, always); err != nil || !waited || !slices.Equal(left, []string{"etcd_backup (process 7)"}) {
			t.Error(name, left, err)
		}
	}
	wrong := errors.New("wrong")
	if _, _, err := await(t.Context(), time.Minute, func() ([]string, error) { return nil, wrong }); !errors.Is(err, wrong) {
		t.Error(err)
	}
}
