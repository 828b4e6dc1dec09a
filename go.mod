module github.com/airlock-ns/airlock

go 1.26

require (
	github.com/containernetworking/plugins v1.9.0
	github.com/rogpeppe/go-internal v1.16.0
	github.com/stretchr/testify v1.12.1
	github.com/thediveo/gons v0.9.9
	golang.org/x/sys v0.49.0
)
