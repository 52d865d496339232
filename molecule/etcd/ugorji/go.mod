module github.com/ugorji/go

go 1.24
