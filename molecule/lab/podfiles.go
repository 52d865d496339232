package main

const (
	podDir      = "/etc/origin/node/pods"
	nodeUnit    = "atomic-openshift-node.service"
	nodeCommand = "/usr/local/sbin/lab-init"
)

// nodeServiceFiles make an image into a host with a kubelet.
func nodeServiceFiles() []File {
	files := []File{
		{Path: nodeCommand, Mode: 0o755, Content: raw("pod/lab-init")},
		{Path: "/etc/containerd/config.toml", Mode: 0o644, Content: raw("pod/containerd.toml")},
		{Path: "/etc/systemd/system/containerd.service.d/lab.conf", Mode: 0o644, Content: raw("pod/containerd.conf")},
		{Path: "/etc/systemd/system/lab-images.service", Mode: 0o644, Content: raw("pod/lab-images.service")},
		{Path: "/etc/systemd/system/" + nodeUnit, Mode: 0o644, Content: raw("pod/" + nodeUnit)},
		wantedBy("lab-images.service"),
		wantedBy(nodeUnit),
		{Path: "/etc/origin/node", Mode: 0o700, Dir: true},
		{Path: podDir, Mode: 0o700, Dir: true},
		{Path: "/etc/origin/node/node-config.yaml", Mode: 0o600, Content: raw("pod/node-config.yaml")},
	}
	// --privileged lets units of the base reach the machine's own kernel.
	for _, unit := range []string{
		"systemd-sysctl.service", "systemd-modules-load.service", "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount",
		"sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-kernel-config.mount", "sys-fs-fuse-connections.mount",
		"dev-hugepages.mount", "systemd-random-seed.service", "systemd-pstore.service", "systemd-rfkill.service", "kmod-static-nodes.service",
	} {
		files = append(files, File{Path: "/etc/systemd/system/" + unit, Link: "/dev/null"})
	}
	files = append(files, File{Path: "/usr/bin/docker", Mode: 0o755, Content: raw("pod/docker")})
	for _, command := range []string{"master-restart", "master-exec", "master-logs"} {
		files = append(files, File{Path: "/usr/local/bin/" + command, Mode: 0o755, Content: raw("pod/" + command)})
	}
	return files
}

// podFiles are a host's manifests, with the installer's modes.
func podFiles(d hostData, layout string) []File {
	return []File{
		{Path: podDir + "/etcd.yaml", Mode: 0o600, Content: render("pod/etcd-"+layout+".yaml.tmpl", d)},
		{Path: podDir + "/apiserver.yaml", Mode: 0o600, Content: render("pod/apiserver.yaml.tmpl", d)},
		{Path: podDir + "/controller.yaml", Mode: 0o600, Content: render("pod/controller.yaml.tmpl", d)},
	}
}

// Methods give the manifests the images' names, so that each is written once.
func (hostData) EtcdImage() string    { return etcdImage }
func (hostData) ControlImage() string { return controlImage }
