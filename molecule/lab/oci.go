package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"runtime"
)

// ociImage is a container image of one layer.
type ociImage struct {
	Name       string
	Entrypoint []string // what runs where a pod names no command
	Files      []File
}

// descriptor points to a blob, as the OCI image format does.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// ociArchive packs images as `ctr images import` reads them, so that no
// registry is needed: an OCI image layout in a tar.
func ociArchive(images []ociImage) ([]byte, error) {
	a := archive{blobs: map[string]bool{}}
	var manifests []descriptor
	for _, image := range images {
		manifest, err := a.image(image)
		if err != nil {
			return nil, err
		}
		manifest.Annotations = map[string]string{"io.containerd.image.name": image.Name}
		manifests = append(manifests, manifest)
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": manifests})
	if err != nil {
		return nil, err
	}
	a.add("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	a.add("index.json", index)
	return layer(a.files)
}

type archive struct {
	files []File
	blobs map[string]bool // by digest: what two images share is there once
}

func (a *archive) add(path string, content []byte) {
	a.files = append(a.files, File{Path: path, Mode: 0o644, Content: content})
}

func (a *archive) blob(mediaType string, content []byte) descriptor {
	sum := sha256.Sum256(content)
	name := hex.EncodeToString(sum[:])
	if !a.blobs[name] {
		a.blobs[name] = true
		a.add("blobs/sha256/"+name, content)
	}
	return descriptor{MediaType: mediaType, Digest: "sha256:" + name, Size: len(content)}
}

func (a *archive) image(image ociImage) (descriptor, error) {
	data, err := layer(image.Files)
	if err != nil {
		return descriptor{}, err
	}
	content := a.blob("application/vnd.oci.image.layer.v1.tar", data)
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Env": []string{"PATH=/usr/bin:/bin"}, "Entrypoint": image.Entrypoint},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{content.Digest}},
	})
	if err != nil {
		return descriptor{}, err
	}
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2,
		"config":        a.blob("application/vnd.oci.image.config.v1+json", config),
		"layers":        []descriptor{content},
	})
	return a.blob("application/vnd.oci.image.manifest.v1+json", manifest), err
}
