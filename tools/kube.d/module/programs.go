//go:build never

// Package kube names what tools/kube builds, so that go.mod holds one set of versions for all of it.
package kube

import (
    _ "github.com/kedacore/keda/v2/cmd/adapter"
    _ "github.com/kedacore/keda/v2/cmd/operator"
    _ "go.etcd.io/etcd/server/v3"
    _ "k8s.io/kubernetes/cmd/kube-apiserver"
    _ "k8s.io/kubernetes/cmd/kube-controller-manager"
    _ "k8s.io/kubernetes/cmd/kube-proxy"
    _ "k8s.io/kubernetes/cmd/kube-scheduler"
    _ "k8s.io/kubernetes/cmd/kubectl"
    _ "k8s.io/kubernetes/cmd/kubelet"
)
