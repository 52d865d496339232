package main

import (
	"context"
	"os"
	"path/filepath"
)

// podPackages bring what a kubelet needs. busybox is the shell inside the
// containers.
const podPackages = basePackages + ",containerd,runc,busybox-static"

// The images' names, as the installer of 3.11 writes them into the manifests.
const (
	etcdImage    = "registry.redhat.io/rhel7/etcd:" + etcdVersion
	controlImage = "registry.redhat.io/openshift3/ose-control-plane:v3.11"
	pauseImage   = "registry.redhat.io/openshift3/ose-pod:v3.11"
)

// buildPodImage is for hosts with a kubelet. As on a real one there is neither
// an etcd nor an etcdctl, nor a unit for etcd.
func buildPodImage(ctx context.Context, root, dir string) (string, error) {
	base, err := ensureBase(ctx, dir, podPackages)
	if err != nil {
		return "", err
	}
	bin := filepath.Join(root, ".cache/bin")
	files, err := programFiles(map[string]string{
		"/usr/bin/hyperkube":              filepath.Join(bin, "kubelet-"+kubeletVersion, "kubelet"),
		"/usr/local/libexec/lab/flanneld": filepath.Join(bin, "standin/flanneld"),
	})
	if err != nil {
		return "", err
	}
	images, err := containerImages(ctx, bin, base)
	if err != nil {
		return "", err
	}
	files = append(files, File{Path: imagesTar, Mode: 0o644, Content: images})
	files = append(files, nodeServiceFiles()...)
	return ensureImage(ctx, dir, base, append(imageFiles(), files...))
}

const imagesTar = "/usr/local/share/lab/images.tar"

// containerImages are etcd's, the control plane's and the pause container's.
func containerImages(ctx context.Context, bin, base string) ([]byte, error) {
	shell, err := shellFiles(ctx, base)
	if err != nil {
		return nil, err
	}
	etcd, err := programFiles(map[string]string{
		"/usr/bin/etcd":    filepath.Join(bin, "etcd-"+etcdVersion, "etcd"),
		"/usr/bin/etcdctl": filepath.Join(bin, "etcd-"+etcdVersion, "etcdctl"),
	})
	if err != nil {
		return nil, err
	}
	control, err := programFiles(map[string]string{
		"/usr/bin/master-api":         filepath.Join(bin, "standin/master-api"),
		"/usr/bin/master-controllers": filepath.Join(bin, "standin/master-controllers"),
	})
	if err != nil {
		return nil, err
	}
	pause, err := programFiles(map[string]string{"/pause": filepath.Join(bin, "standin/pause")})
	if err != nil {
		return nil, err
	}
	return ociArchive([]ociImage{
		{Name: etcdImage, Files: append(etcd, shell...)},
		{Name: controlImage, Files: append(control, shell...)},
		{Name: pauseImage, Entrypoint: []string{"/pause"}, Files: pause},
	})
}

// shellFiles are busybox, taken from the base image, and the commands that a
// manifest or an operator calls in a container.
func shellFiles(ctx context.Context, base string) ([]File, error) {
	root, err := podman(ctx, "image", "mount", base)
	if err != nil {
		return nil, err
	}
	defer podman(ctx, "image", "unmount", base)
	busybox, err := os.ReadFile(filepath.Join(root, "usr/bin/busybox"))
	if err != nil {
		return nil, err
	}
	files := []File{
		{Path: "/tmp", Mode: 0o1777, Dir: true},
		{Path: "/bin/busybox", Mode: 0o755, Content: busybox},
	}
	// Busybox knows no bash by name, and the API's manifest asks for one.
	files = append(files, File{Path: "/bin/bash", Mode: 0o755, Content: []byte("#!/bin/sh\nexec sh \"$@\"\n")})
	for _, name := range []string{"sh", "cat", "cp", "env", "grep", "ls", "mkdir", "mv", "ps", "rm", "sleep"} {
		files = append(files, File{Path: "/bin/" + name, Link: "busybox"})
	}
	return files, nil
}
