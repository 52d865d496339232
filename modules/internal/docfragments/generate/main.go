// Command generate brings the common arguments in the modules' documentation up to date: generate MODULES-DIRECTORY.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"etcd-quorum-restore/modules/internal/docfragments"
)

func main() {
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate(modules string) error {
	files, err := filepath.Glob(filepath.Join(modules, "*", "*.yml"))
	if err != nil {
		return err
	}
	for _, file := range files {
		old, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fresh, err := docfragments.Render(old)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(file, fresh, 0o644); err != nil {
			return err
		}
	}
	return nil
}
