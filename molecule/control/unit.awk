# Reads `go test -v`: prints the packages that failed, and the count. A package's block ends with its ok, FAIL or ? line.
# What passed explains nothing.
!/^=== |^ *--- PASS: / { block = block $0 "\n" }
/^ *--- PASS: / { passed++ }
/^ *--- SKIP: / { skipped++; print "skipped: " $3 }
/^ *--- FAIL: / { failed++ }
/^(ok|\?)  *\t/ || /^\t.*coverage:/ { packages++; block = "" }
/^FAIL\t/ {
    broken++
    printf "%s", block
    block = ""
}
END {
    printf "%d tests passed, %d failed, %d skipped; %d packages fine, %d broken\n", passed, failed, skipped, packages, broken
    exit (failed || skipped || broken || !passed)
}
