// etcd and etcdctl 3.2.32, the version that OpenShift 3.11 ends with. The
// dependencies are those of its glide.lock, so that the test hosts run what
// sites run. `lab build` builds them, with TLS as it was then (molecule/lab/etcd.go).
module etcd-quorum-restore/molecule/etcd

go 1.26.0

tool (
	github.com/coreos/etcd
	github.com/coreos/etcd/etcdctl
)

require (
	github.com/beorn7/perks v0.0.0-20160804104726-4c0e84591b9a // indirect
	github.com/bgentry/speakeasy v0.1.0 // indirect
	github.com/cockroachdb/cmux v0.0.0-20160228191917-112f0506e774 // indirect
	github.com/coreos/bbolt v1.3.1-coreos.5 // indirect
	github.com/coreos/etcd v3.2.32+incompatible // indirect
	github.com/coreos/go-semver v0.2.0 // indirect
	github.com/coreos/go-systemd v0.0.0-20161114122254-48702e0da86b // indirect
	github.com/coreos/pkg v0.0.0-20160727233714-3ac0863d7acf // indirect
	github.com/cpuguy83/go-md2man v1.0.7 // indirect
	github.com/dgrijalva/jwt-go v3.2.0+incompatible // indirect
	github.com/dustin/go-humanize v1.0.0 // indirect
	github.com/ghodss/yaml v1.0.0 // indirect
	github.com/gogo/protobuf v0.0.0-20170307180453-100ba4e88506 // indirect
	github.com/golang/groupcache v0.0.0-20160516000752-02826c3e7903 // indirect
	github.com/golang/protobuf v0.0.0-20170601230230-5a0f697c9ed9 // indirect
	github.com/google/btree v0.0.0-20161005200959-925471ac9e21 // indirect
	github.com/grpc-ecosystem/go-grpc-prometheus v0.0.0-20160910222444-6b7015e65d36 // indirect
	github.com/grpc-ecosystem/grpc-gateway v1.3.0 // indirect
	github.com/inconshreveable/mousetrap v1.0.0 // indirect
	github.com/jonboulle/clockwork v0.1.0 // indirect
	github.com/mattn/go-runewidth v0.0.2 // indirect
	github.com/matttproud/golang_protobuf_extensions v1.0.1 // indirect
	github.com/olekukonko/tablewriter v0.0.0-20170122224234-a0225b3f23b5 // indirect
	github.com/prometheus/client_golang v0.8.0 // indirect
	github.com/prometheus/client_model v0.0.0-20170216185247-6f3806018612 // indirect
	github.com/prometheus/common v0.0.0-20170220103846-49fee292b27b // indirect
	github.com/prometheus/procfs v0.0.0-20170216223256-a1dba9ce8bae // indirect
	github.com/russross/blackfriday v1.5.2 // indirect
	github.com/spf13/cobra v0.0.0-20151124153217-1c44ec8d3f15 // indirect
	github.com/spf13/pflag v0.0.0-20151013200643-08b1a584251b // indirect
	github.com/ugorji/go v0.0.0 // indirect
	github.com/urfave/cli v1.18.0 // indirect
	github.com/xiang90/probing v0.0.0-20160813154853-07dd2e8dfe18 // indirect
	golang.org/x/crypto v0.0.0-20170930174604-9419663f5a44 // indirect
	golang.org/x/net v0.0.0-20170828231752-66aacef3dd8a // indirect
	golang.org/x/text v0.3.0 // indirect
	golang.org/x/time v0.0.0-20180412165947-fbb02b2291d2 // indirect
	google.golang.org/genproto v0.0.0-20170731182057-09f6ed296fc6 // indirect
	google.golang.org/grpc v1.7.5 // indirect
	gopkg.in/cheggaaa/pb.v1 v1.0.2 // indirect
	gopkg.in/yaml.v2 v2.0.0 // indirect
)

// The pinned release of this codec panics at start when built with Go 1.22 or
// newer, so etcd's v2 client gets one on encoding/json.
replace github.com/ugorji/go => ./ugorji
